#!/bin/sh
# The init process on the guest's root disk: sets up the machine as specified on the kernel command line, runs the job, writes its results to a disk and powers off.
#   matrix.steps=NAME,…    the steps of the job
#   matrix.preset=NAME,…   kube-proxy: the sysctls that kube-proxy's iptables mode sets on a node. no-legacy: prevents the tables of iptables-legacy from loading.
export PATH=/opt/node/node_modules/.bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LANG=C.UTF-8

setting() {
	tr ' ' '\n' </proc/cmdline | sed -n "s/^matrix\.$1=//p"
}

mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t cgroup2 cgroup2 /sys/fs/cgroup
for link in fd:/proc/self/fd stdin:fd/0 stdout:fd/1 stderr:fd/2; do
	ln -sfn "${link#*:}" "/dev/${link%%:*}"
done
ip link set lo up

for preset in $(setting preset | tr ',' ' '); do
	case $preset in
	kube-proxy)
		for name in all/route_localnet default/route_localnet; do
			echo 1 >"/proc/sys/net/ipv4/conf/$name"
		done
		echo 1 >/proc/sys/net/ipv4/ip_forward
		;;
	no-legacy)
		for table in nat mangle raw filter security; do
			printf 'install iptable_%s /bin/false\ninstall ip6table_%s /bin/false\n' "$table" "$table"
		done >/etc/modprobe.d/no-legacy.conf
		;;
	*) echo "guest: unknown preset $preset" ;;
	esac
done

echo "guest: up after $(cut -d ' ' -f 1 /proc/uptime) s, Linux $(uname -r)"
mkdir -p /srv/out
cd /srv || exit 1
node /srv/job/job.mjs --out /srv/out --steps "$(setting steps)" --batch /srv/batch.jsonl --testbed /opt/testbed/node_modules/.bin/testbed </dev/null
echo "guest: the job ended with exit status $?"
dmesg >/srv/out/dmesg.log
tar -cf /dev/vdc -C /srv/out .
sync
echo o >/proc/sysrq-trigger
sleep 60
