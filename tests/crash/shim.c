/* Between a process and its files: records what is written, or lets writes fail.

   Loaded with LD_PRELOAD, it does nothing until crash_start() is called, in a process that has just been forked.
   From then on it looks at the files below one folder:

   - With a log, each change of a file is appended to it, in the order in which it happens, and no fsync goes to
     the disk: crash_start's caller plays the changes back as a disk might have kept them.
   - With a fault, the n-th change of a file whose path contains ".db", and some after it, fail with an errno.

   A record is a struct record followed by its path or its bytes.  See power.py, which reads them.  */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { OPENED = 1, CREATED, WRITTEN, CUT, SYNCED, FOLDER_SYNCED, UNLINKED, RENAMED, FOLDER_MADE };

struct record {
    uint32_t kind;
    uint32_t length; /* of what follows */
    uint64_t inode;
    uint64_t offset; /* or size */
};

struct seen {
    uint64_t inode;
    int appends;
    int is_folder;
    int may_fail;
    char path[];
};

#define MAX_FILES 65536
static struct seen *files[MAX_FILES];
static char folder[PATH_MAX];
static size_t folder_length;
static int log_file = -1;
static long changes, fail_from, fail_to;
static int fail_with;
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

/* log: -1 for none.  The changes from number `from` up to and without `to` fail with `error`; 0 and 0 for none. */
void crash_start(const char *below, int log, long from, long to, int error) {
    strncpy(folder, below, sizeof folder - 1);
    folder_length = strlen(folder);
    log_file = log;
    fail_from = from;
    fail_to = to;
    fail_with = error;
    changes = 0;
}

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    return found;
}

static void keep(enum kind kind, uint64_t inode, uint64_t offset, const void *what, size_t length) {
    if (log_file < 0)
        return;
    struct record head = {kind, (uint32_t)length, inode, offset};
    struct iovec parts[2] = {{&head, sizeof head}, {(void *)what, length}};
    if (syscall(SYS_writev, log_file, parts, 2) != (long)(sizeof head + length))
        abort();
}

static int is_below(const char *path) { /* or the folder itself */
    return folder_length && path && !strncmp(path, folder, folder_length) &&
           (path[folder_length] == '/' || !path[folder_length]);
}

/* Whether this change of the database is one that fails; errno is set then. */
static int fails(int may_fail) {
    if (!may_fail || !fail_to)
        return 0;
    long number = __atomic_add_fetch(&changes, 1, __ATOMIC_SEQ_CST);
    if (number < fail_from || number >= fail_to)
        return 0;
    if (number == fail_from) { /* so that it is known that the fault was come across */
        char note[PATH_MAX + 16];
        strcat(strcpy(note, folder), "/outside/struck");
        syscall(SYS_close, syscall(SYS_openat, AT_FDCWD, note, O_WRONLY | O_CREAT, 0600));
    }
    errno = fail_with;
    return 1;
}

static struct seen *of(int file) { return file >= 0 && file < MAX_FILES ? files[file] : NULL; }

static int opened(int file, const char *path, int flags, int was_there) {
    struct stat facts;
    if (file < 0 || file >= MAX_FILES || fstat(file, &facts))
        return file;
    size_t length = strlen(path);
    struct seen *seen = malloc(sizeof *seen + length + 1);
    if (!seen)
        abort();
    memcpy(seen->path, path, length + 1);
    seen->inode = facts.st_ino;
    seen->appends = (flags & O_APPEND) != 0;
    seen->is_folder = S_ISDIR(facts.st_mode);
    seen->may_fail = strstr(path, ".db") != NULL && strstr(path, "-leases/") == NULL;
    free(files[file]);
    files[file] = seen;
    if (!seen->is_folder) {
        keep(was_there ? OPENED : CREATED, seen->inode, 0, path, length);
        if (was_there && (flags & O_TRUNC))
            keep(CUT, seen->inode, 0, "", 0);
    }
    return file;
}

typedef int (*opener)(int, const char *, int, mode_t);

static int open_with(int at, const char *path, int flags, mode_t mode) {
    static opener next;
    if (!next)
        next = (opener)real("openat64");
    if (!is_below(path))
        return next(at, path, flags, mode);
    pthread_mutex_lock(&one_at_a_time);
    int was_there = access(path, F_OK) == 0;
    int file = !was_there && (flags & O_CREAT) && fails(strstr(path, ".db") != NULL && !strstr(path, "-leases"))
                   ? -1
                   : opened(next(at, path, flags, mode), path, flags, was_there);
    int error = errno;
    pthread_mutex_unlock(&one_at_a_time);
    errno = error;
    return file;
}

#define MODE(flags)                                                                                                \
    mode_t mode = 0;                                                                                               \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                                                                         \
        va_list rest;                                                                                              \
        va_start(rest, flags);                                                                                     \
        mode = va_arg(rest, mode_t);                                                                               \
        va_end(rest);                                                                                              \
    }

int open(const char *path, int flags, ...) { MODE(flags) return open_with(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return open_with(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE(flags) return open_with(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE(flags) return open_with(at, path, flags, mode); }

int close(int file) {
    struct seen *seen = of(file);
    if (seen) {
        pthread_mutex_lock(&one_at_a_time);
        files[file] = NULL;
        free(seen);
        pthread_mutex_unlock(&one_at_a_time);
    }
    return (int)syscall(SYS_close, file);
}

/* offset: -1 for where the file stands. */
static ssize_t put(int file, const void *what, size_t length, off64_t offset) {
    struct seen *seen = of(file);
    if (!seen)
        return offset < 0 ? syscall(SYS_write, file, what, length)
                          : syscall(SYS_pwrite64, file, what, length, offset);
    if (fails(seen->may_fail))
        return -1;
    pthread_mutex_lock(&one_at_a_time);
    struct stat facts;
    off64_t place = offset;
    if (offset < 0)
        place = seen->appends && !fstat(file, &facts) ? facts.st_size : lseek64(file, 0, SEEK_CUR);
    ssize_t written = offset < 0 ? syscall(SYS_write, file, what, length)
                                 : syscall(SYS_pwrite64, file, what, length, offset);
    if (written > 0)
        keep(WRITTEN, seen->inode, (uint64_t)place, what, (size_t)written);
    pthread_mutex_unlock(&one_at_a_time);
    return written;
}

ssize_t write(int file, const void *what, size_t length) { return put(file, what, length, -1); }
ssize_t pwrite(int file, const void *what, size_t length, off_t at) { return put(file, what, length, at); }
ssize_t pwrite64(int file, const void *what, size_t length, off64_t at) { return put(file, what, length, at); }

static int cut(int file, off64_t size) {
    struct seen *seen = of(file);
    if (seen && fails(seen->may_fail))
        return -1;
    if (seen) {
        pthread_mutex_lock(&one_at_a_time);
        keep(CUT, seen->inode, (uint64_t)size, "", 0);
        pthread_mutex_unlock(&one_at_a_time);
    }
    return (int)syscall(SYS_ftruncate, file, size);
}

int ftruncate(int file, off_t size) { return cut(file, size); }
int ftruncate64(int file, off64_t size) { return cut(file, size); }

static int sync_with(int file, long call) {
    struct seen *seen = of(file);
    if (!seen)
        return (int)syscall(call, file);
    if (fails(seen->may_fail))
        return -1;
    if (log_file < 0)
        return 0; /* a killed process loses nothing of what it has written, synced or not */
    pthread_mutex_lock(&one_at_a_time);
    if (seen->is_folder)
        keep(FOLDER_SYNCED, seen->inode, 0, seen->path, strlen(seen->path));
    else
        keep(SYNCED, seen->inode, 0, "", 0);
    pthread_mutex_unlock(&one_at_a_time);
    return 0;
}

int fsync(int file) { return sync_with(file, SYS_fsync); }
int fdatasync(int file) { return sync_with(file, SYS_fdatasync); }

static int gone(const char *path, int result) {
    if (!result && is_below(path))
        keep(UNLINKED, 0, 0, path, strlen(path));
    return result;
}

int unlink(const char *path) { return gone(path, (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0)); }
int rmdir(const char *path) { return gone(path, (int)syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR)); }

int rename(const char *from, const char *to) {
    int result = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    if (!result && is_below(from)) {
        char both[2 * PATH_MAX];
        size_t first = strlen(from), second = strlen(to);
        memcpy(both, from, first + 1);
        memcpy(both + first + 1, to, second);
        keep(RENAMED, 0, 0, both, first + 1 + second);
    }
    return result;
}

int mkdir(const char *path, mode_t mode) {
    int result = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    if (!result && is_below(path))
        keep(FOLDER_MADE, 0, 0, path, strlen(path));
    return result;
}
