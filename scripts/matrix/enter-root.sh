#!/bin/sh
# Makes a folder the root of this mount namespace, with the kernel's own file systems in it, and runs a command there:
#   enter-root.sh ROOT COMMAND [ARGUMENT…]
# It must be started as root in its own mount namespace. It makes a real root, not a chroot, so that programs that change the root themselves (to confine a tool) work as on a real machine.
set -eu

root=$1
shift
mount --rbind "$root" "$root"
cd "$root"
mount -t proc -o nosuid,nodev,noexec proc proc
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
mount -t tmpfs -o mode=755,nosuid dev dev
for name in null zero full random urandom tty; do
	: >"dev/$name"
	mount --bind "/dev/$name" "dev/$name"
done
mkdir -p dev/pts dev/shm run tmp
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
mount -t tmpfs -o mode=1777,nosuid,nodev shm dev/shm
mount -t tmpfs -o mode=755,nosuid,nodev run run
pivot_root . .
umount -l .
cd /
"$@" && exit 0 || exit $?
