#!/bin/sh
# The init process on a guest's root disk: sets up the machine, runs /job/run.sh, writes the folder /out to the disk for results as a tar archive, and powers off. What is in /job/files goes to its place first.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LANG=C.UTF-8

mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t cgroup2 cgroup2 /sys/fs/cgroup
for link in fd:/proc/self/fd stdin:fd/0 stdout:fd/1 stderr:fd/2; do
	ln -sfn "${link#*:}" "/dev/${link%%:*}"
done
mkdir -p /out
mount -t tmpfs -o mode=755 tmpfs /out
ip link set lo up
if [ -d /job/files ]; then
	cp -a /job/files/. /
fi

echo "guest: up after $(cut -d ' ' -f 1 /proc/uptime) s, Linux $(uname -r)"
uname -r >/out/release
sh /job/run.sh </dev/null
echo "guest: the job ended with exit status $?"
dmesg >/out/dmesg.log
tar -cf /dev/vdd -C /out .
sync
echo o >/proc/sysrq-trigger
sleep 60
