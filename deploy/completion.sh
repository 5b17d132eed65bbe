#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Prints what a shell completes a program's line with:  deploy/completion.sh bash|zsh PROGRAM [build/release]
#
# The options, and the values of those that have a choice, are what --help says; options of a hub are offered once
# its name is written. What has no list is a file. Behind "heliograph-presence ctl" the program itself is asked.
set -euo pipefail

SHELL_NAME=$1
PROGRAM=$2
BUILD=${3:-build/release}
FUNCTION=_${PROGRAM//-/_}_options

# One a line: "--option=", behind it "--option=value" for each value there is.
words() {
	"$BUILD/$PROGRAM" --help | awk '
		/^  -/ {
			option = $1
			sub(/=.*/, "=", option)
			print option
		}
		/^      (choice|choices|switch), / {
			line = $0
			sub(/;.*/, "", line)
			n = split(line, values, /, */)
			for (i = 2; i <= n; i++)
				print option values[i]
		}'
	[[ $PROGRAM != heliograph-presence ]] || echo ctl
}

# ctl has a function of its own.
ctl() {
	"$BUILD/$PROGRAM" ctl completion "$SHELL_NAME" | grep -vE '^(#|complete |compdef )'
}

bash_script() {
	local ctl_case=''
	echo "# $PROGRAM: bash completes options and their values."
	if [[ $PROGRAM == heliograph-presence ]]; then
		ctl
		# shellcheck disable=SC2016 # for the script that is printed
		ctl_case='[[ ${COMP_WORDS[1]-} == ctl ]] && ((COMP_CWORD > 1)) && { _heliograph_presence; return; }'
	fi
	cat <<-SCRIPT
		$FUNCTION() {
		  local line=\${COMP_LINE:0:COMP_POINT} cur=\${COMP_WORDS[COMP_CWORD]} whole word hub=
		  $ctl_case
		  whole=\${line##*[[:space:]]}
		  # Bash cuts at '=': what it takes for the word's beginning is not to be said again.
		  [[ \$cur == = ]] && cur=
		  [[ \$whole =~ ^--hub\\.([^.=]+)\\. ]] && hub=\${BASH_REMATCH[1]}
		  COMPREPLY=()
		  while IFS= read -r word; do
		    [[ \$word == *'<name>'* ]] && { [[ \$hub ]] || continue; word=\${word//'<name>'/"\$hub"}; }
		    [[ \$word == "\$whole"* ]] || continue
		    [[ \$word == *=?* && \$whole != *=* ]] && continue
		    [[ \$word == *= && \$whole == *=* ]] && continue
		    [[ \$word == *= ]] || word="\$word "
		    COMPREPLY+=("\${word#"\${whole%"\$cur"}"}")
		  done <<'WORDS'
		$(words)
		WORDS
		}
		complete -o nospace -o default -F $FUNCTION $PROGRAM
	SCRIPT
}

zsh_script() {
	local ctl_case=''
	echo "#compdef $PROGRAM"
	if [[ $PROGRAM == heliograph-presence ]]; then
		ctl
		# shellcheck disable=SC2016 # for the script that is printed
		ctl_case='[[ ${words[2]} == ctl ]] && ((CURRENT > 2)) && { _heliograph_presence; return; }'
	fi
	cat <<-SCRIPT
		$FUNCTION() {
		  local -a all found
		  local hub=
		  $ctl_case
		  all=(\${(f)"\$(<<'WORDS'
		$(words)
		WORDS
		)"})
		  [[ \$PREFIX =~ '^--hub\\.([^.=]+)\\.' ]] && hub=\$match[1]
		  if [[ -n \$hub ]]; then
		    all=(\${all//<name>/\$hub})
		  else
		    all=(\${all:#*<name>*})
		  fi
		  if [[ \$PREFIX == *=* ]]; then
		    found=(\${(M)all:#\${PREFIX%%=*}=?*})
		    if ((\$#found)); then
		      compadd -- \$found
		    else
		      compset -P '*='
		      _files
		    fi
		    return
		  fi
		  found=(\${(M)all:#*=})
		  compadd -S '' -- \$found
		  found=(\${all:#*=*})
		  compadd -- \$found
		  [[ \$PREFIX == -* ]] || _files
		}
		(( \$+functions[compdef] )) && compdef $FUNCTION $PROGRAM
	SCRIPT
}

case $SHELL_NAME in
bash) bash_script ;;
zsh) zsh_script ;;
*)
	echo "$0: $SHELL_NAME: bash or zsh" >&2
	exit 1
	;;
esac
