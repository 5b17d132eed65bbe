#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A systemd of its own, in namespaces of its own, with what `make install` put below DESTDIR:
#
#	unshare --fork --pid --mount --cgroup --ipc --uts --net --kill-child tests/deploy/boot.sh DESTDIR FOLDER
#
# The machine's /usr is there, nothing of its /etc but names, and nothing of it is started. The services log to
# FOLDER/log. It ends with the first process, and leaves nothing behind.
set -euo pipefail
ROOT=$1
FOLDER=$2
NEW=$FOLDER/root

mount --make-rprivate /
mkdir -p "$NEW"
mount -t tmpfs -o mode=755 tmpfs "$NEW"
mkdir -p "$NEW"/{dev,etc,proc,run,sys,tmp,usr,var,test}
mount --rbind /usr "$NEW/usr"
mount --bind "$ROOT/usr/local" "$NEW/usr/local"
for top in bin sbin lib lib32 lib64 libx32; do
	if [[ -L /$top ]]; then
		cp -P "/$top" "$NEW/$top"
	elif [[ -d /$top ]]; then
		mkdir "$NEW/$top" && mount --rbind "/$top" "$NEW/$top"
	fi
done
cp -rP /etc/{passwd,group,nsswitch.conf,hosts,ld.so.cache} "$NEW/etc/"
cp -r "$ROOT/etc/heliograph" "$NEW/etc/"
# No first boot, at which systemd would enable all that its presets do.
echo 00000000000040008000000000000001 >"$NEW/etc/machine-id"
mount -t proc proc "$NEW/proc"
mount --rbind /dev "$NEW/dev"
mount -t sysfs sysfs "$NEW/sys" 2>/dev/null || mount --rbind /sys "$NEW/sys"
# Version 2 of control groups, or the part of version 1 that systemd needs.
if ! mount -t cgroup2 cgroup2 "$NEW/sys/fs/cgroup" 2>/dev/null || [[ ! -w $NEW/sys/fs/cgroup/cgroup.procs ]]; then
	umount "$NEW/sys/fs/cgroup" 2>/dev/null || true
	mount -t tmpfs -o mode=755 tmpfs "$NEW/sys/fs/cgroup"
	mkdir "$NEW/sys/fs/cgroup/systemd"
	mount -t cgroup -o none,name=systemd cgroup "$NEW/sys/fs/cgroup/systemd"
fi
mount -t tmpfs -o mode=755 tmpfs "$NEW/run"
mount --bind "$FOLDER" "$NEW/test"
ip link set lo up

mkdir -p "$NEW/etc/systemd/system"
for unit in "$NEW"/usr/lib/systemd/system/{basic,local-fs,multi-user,network-online,sockets,sysinit,timers}.target.wants/*; do
	case $unit in
	*.target) ;;
	*) ln -sf /dev/null "$NEW/etc/systemd/system/${unit##*/}" ;;
	esac
done
# A user namespace inside of this one is more than some machines allow.
mkdir -p "$NEW/etc/systemd/system/heliograph-.service.d"
cat >"$NEW/etc/systemd/system/heliograph-.service.d/here.conf" <<X
[Service]
PrivateUsers=no
StandardOutput=append:/test/log
StandardError=append:/test/log
X
chroot "$NEW" systemd-sysusers
chroot "$NEW" systemd-tmpfiles --create heliograph.conf
for key in link token auth; do
	head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$NEW/etc/heliograph/$key.key"
	chmod 400 "$NEW/etc/heliograph/$key.key"
	chroot "$NEW" chown heliograph: "/etc/heliograph/$key.key"
done
for conf in "$NEW"/etc/heliograph/*.conf.example; do
	cp "$conf" "${conf%.example}"
done
exec chroot "$NEW" env -i container=heliograph-test "PATH=$PATH" \
	/lib/systemd/systemd --system --unit=basic.target --log-target=null --show-status=no
