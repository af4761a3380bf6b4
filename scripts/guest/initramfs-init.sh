#!/bin/busybox sh
# shellcheck shell=dash
# The init process of a guest's initramfs: loads the modules for the disks and switches to the root disk. Disks: vda is the root, vdb has the kernel's modules, vdc the job, vdd is for the results.
# With testbed.probe on the kernel command line, it only says that the kernel has booted.
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs dev /dev
if /bin/busybox grep -q 'testbed\.probe' /proc/cmdline; then
	echo 'guest: alive'
	/bin/busybox poweroff -f
fi
for module in /modules/*; do
	# A module may already be loaded as a dependency.
	/bin/busybox insmod "$module" 2>/dev/null
done
tries=0
until [ -b /dev/vdd ]; do
	tries=$((tries + 1))
	[ "$tries" -lt 500 ] || {
		echo 'guest: no disks'
		/bin/busybox poweroff -f
	}
	/bin/busybox usleep 20000
done
/bin/busybox mount -t ext4 -o rw,noatime /dev/vda /root || {
	echo 'guest: the root disk cannot be mounted'
	/bin/busybox poweroff -f
}
/bin/busybox mkdir -p /root/lib/modules /root/job
/bin/busybox mount -t ext4 -o ro /dev/vdb /root/lib/modules || echo 'guest: no modules'
/bin/busybox mount -t ext4 -o rw,noatime /dev/vdc /root/job || {
	echo 'guest: the disk of the job cannot be mounted'
	/bin/busybox poweroff -f
}
for name in dev proc sys; do
	/bin/busybox mount --move "/$name" "/root/$name"
done
exec /bin/busybox switch_root /root /bin/sh /job/init.sh
