/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything a file wants must be here when it is opened, or it would end the program in
 * the middle of a call. One that wants more was most likely made for another version: it
 * is opened again with its functions left unbound, only to be asked.
 */
#include "router/hub_file.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct hub_abi own_abi = HUB_ABI_INIT;

static const char *const struct_names[] = {
#define ABI_NAME(name) #name,
	HUB_ABI_STRUCTS(ABI_NAME)
#undef ABI_NAME
};

_Static_assert(sizeof(struct_names) / sizeof(struct_names[0]) <= HUB_ABI_STRUCTS_MAX,
	       "the array in struct hub_abi never grows");

static bool is_version(uint32_t version, struct buf *why)
{
	if (version != HUB_API_VERSION)
		buf_appendf(why,
			    "made for version %" PRIu32 " of the hub API, this program "
			    "has %d: build it again",
			    version, HUB_API_VERSION);
	return version == HUB_API_VERSION;
}

static bool is_abi(const struct hub_abi *abi, struct buf *why)
{
	if (!is_version(abi->api_version, why))
		return false;
	if (abi->structs_n != own_abi.structs_n) {
		buf_append_str(why, "built with other headers than this program: build "
				    "it again");
		return false;
	}
	for (size_t i = 0; i < own_abi.structs_n; i++) {
		if (abi->bytes[i] == own_abi.bytes[i])
			continue;
		buf_appendf(why,
			    "built with other headers than this program: struct %s has "
			    "%" PRIu32 " bytes there and %" PRIu32
			    " here: build it again",
			    struct_names[i], abi->bytes[i], own_abi.bytes[i]);
		return false;
	}
	return true;
}

/* Before there was struct hub_abi, each module began with its version, as it does now. */
static bool is_fit(const struct hub_file *file, struct buf *why)
{
	const struct hub_abi *abi = dlsym(file->handle, "hub_abi");

	if (file->modules == NULL || file->modules[0] == NULL) {
		buf_append_str(why, "it does not export hub_modules, or nothing in it: "
				    "HUB_EXPORT() does");
		return false;
	}
	if (abi != NULL)
		return is_abi(abi, why);
	if (is_version((uint32_t)file->modules[0]->api_version, why))
		buf_append_str(why, "it does not export hub_abi: HUB_EXPORT() does");
	return false;
}

static bool count_modules(struct hub_file *file, struct buf *why)
{
	while (file->modules[file->modules_n] != NULL) {
		if (file->modules_n++ < HUB_FILE_MODULES_MAX)
			continue;
		buf_appendf(why, "more than %d hubs, or no NULL behind the last",
			    HUB_FILE_MODULES_MAX);
		return false;
	}
	return true;
}

/* ---- opening it */

/* Where the part ends, if the sum fits. */
static uint64_t end_of(uint64_t offset, uint64_t len)
{
	return len > UINT64_MAX - offset ? UINT64_MAX : offset + len;
}

/* How long the file must be by its own head; 0: that is for the loader to judge. */
static uint64_t bytes_wanted(int fd)
{
	ElfW(Ehdr) head;
	ElfW(Phdr) part;
	uint64_t wanted;

	if (pread(fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head) ||
	    memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
	    head.e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) ||
	    head.e_phentsize != sizeof(part) || head.e_phoff > INT32_MAX)
		return 0;
	wanted = end_of(head.e_phoff, (uint64_t)head.e_phnum * sizeof(part));
	for (unsigned i = 0; i < head.e_phnum; i++) {
		const off_t at = (off_t)(head.e_phoff + i * sizeof(part));

		if (pread(fd, &part, sizeof(part), at) != (ssize_t)sizeof(part))
			return wanted;
		if (part.p_type == PT_LOAD &&
		    end_of(part.p_offset, part.p_filesz) > wanted)
			wanted = end_of(part.p_offset, part.p_filesz);
	}
	return wanted;
}

/* The loader maps a file that is still being copied, and then dies of reading it. */
static bool is_whole(const char *path, struct buf *why)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat info;
	uint64_t wanted = 0;
	bool is_short = false;

	if (fd < 0)
		return true; /* the loader tells why */
	if (fstat(fd, &info) == 0) {
		wanted = bytes_wanted(fd);
		is_short = (uint64_t)info.st_size < wanted;
	}
	(void)close(fd); /* it was only read */
	if (is_short)
		buf_appendf(why,
			    "it is not whole: %" PRIu64 " of at least %" PRIu64 " bytes",
			    (uint64_t)info.st_size, wanted);
	return !is_short;
}

/* False: the file is not for us, or nobody can say. */
static bool may_be_ours(const char *path, struct buf *why)
{
	struct hub_file file = { .handle = dlopen(path, RTLD_LAZY | RTLD_LOCAL) };
	bool is_ours = false;

	/* Linked to be bound at once: its version cannot be asked for. */
	if (file.handle == NULL)
		return true;
	file.modules = dlsym(file.handle, "hub_modules");
	is_ours = is_fit(&file, why);
	hub_file_close(&file);
	return is_ours;
}

/* Whoever shows it has named the file already. */
static const char *without_path(const char *error, const char *path)
{
	const size_t len = strlen(path);

	return strncmp(error, path, len) == 0 && strncmp(error + len, ": ", 2) == 0
		       ? error + len + 2
		       : error;
}

static bool open_bound(struct hub_file *file, const char *path, struct buf *why)
{
	struct buf text = BUF_INIT;
	const char *error;

	file->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (file->handle != NULL)
		return true;
	/* One thread. */
	error = dlerror(); /* NOLINT(concurrency-mt-unsafe) */
	buf_append_str(&text,
		       error == NULL ? "it cannot be opened" : without_path(error, path));
	if (error == NULL || strstr(error, "undefined symbol") == NULL)
		buf_append_slice(why, buf_slice(&text));
	else if (may_be_ours(path, why))
		buf_appendf(why,
			    "it wants what version %d of the hub API does not have: %.*s",
			    HUB_API_VERSION, SLICE_FMT(buf_slice(&text)));
	buf_fini(&text);
	return false;
}

bool hub_file_open(struct hub_file *file, const char *path, struct buf *why)
{
	*file = (struct hub_file){ .handle = NULL };
	/* Without one dlopen() would search the system's folders. */
	if (strchr(path, '/') == NULL) {
		buf_append_str(why, "a path with a slash is wanted");
		return false;
	}
	if (!is_whole(path, why) || !open_bound(file, path, why))
		return false;
	file->modules = dlsym(file->handle, "hub_modules");
	if (is_fit(file, why) && count_modules(file, why))
		return true;
	hub_file_close(file);
	return false;
}

void hub_file_close(struct hub_file *file)
{
	if (file->handle != NULL)
		(void)dlclose(file->handle); /* nothing could be done about it */
	*file = (struct hub_file){ .handle = NULL };
}
