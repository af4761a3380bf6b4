#!/bin/sh
# Fetches a Debian kernel and makes the files to boot it in QEMU; runs in a Debian root with busybox-static, cpio, kmod, e2fsprogs, xz-utils and zstd:
#   make-kernel.sh PATTERN FOLDER
# PATTERN is an extended regular expression for package names; the newest match is used. FOLDER gets `vmlinuz`, `initramfs`, `modules.ext4` and `version`.
set -eu

pattern=$1
folder=$2

image=$(apt-cache pkgnames linux-image- | grep -E "^linux-image-$pattern\$" | sort -V | tail -n 1)
[ -n "$image" ] || {
	echo "no package of this mirror is named linux-image-$pattern" >&2
	exit 4
}
version=${image#linux-image-}

mkdir -p "$folder/debs" "$folder/tree"
# Since 7.x the kernel and its modules are separate packages, and the image only depends on them.
parts=$(apt-cache depends "$image" | sed -n -E "s/^ *Depends: (linux-(binary|base|modules)-$(echo "$version" | sed 's/[+.]/\\&/g'))\$/\1/p")
# shellcheck disable=SC2086 # These are several words on purpose.
(cd "$folder/debs" && apt-get -q download "$image" $parts >&2)
for deb in "$folder"/debs/*.deb; do
	dpkg-deb --extract "$deb" "$folder/tree"
done

# Older packages have /lib/modules, newer ones /usr/lib/modules.
modules=$folder/tree/lib/modules
[ -d "$modules/$version" ] || modules=$folder/tree/usr/lib/modules
mkdir -p "$folder/base/lib"
mv "$modules" "$folder/base/lib/modules"
depmod -b "$folder/base" "$version"
for kernel in "$folder/tree/boot/vmlinuz-$version" "$folder/base/lib/modules/$version/vmlinuz"; do
	[ ! -f "$kernel" ] || cp "$kernel" "$folder/vmlinuz"
done

# All modules, as on a real machine: the kernel and the tools load what a run needs.
megabytes=$(($(du -sm "$folder/base/lib/modules" | cut -f 1) * 5 / 4 + 32))
mke2fs -q -t ext4 -O ^has_journal -d "$folder/base/lib/modules" "$folder/modules.ext4" "${megabytes}M"

# An initramfs that only mounts the root disk. Its modules are numbered in loading order.
tree=$folder/initramfs-tree
mkdir -p "$tree/bin" "$tree/dev" "$tree/proc" "$tree/sys" "$tree/root" "$tree/modules"
cp /bin/busybox "$tree/bin/busybox"
cp "$(dirname "$0")/initramfs-init.sh" "$tree/init"
chmod 755 "$tree/init"
number=100
for module in virtio_pci virtio_blk ext4; do
	modprobe -d "$folder/base" -S "$version" --show-depends "$module" | sed -n 's/^insmod \([^ ]*\).*/\1/p' >"$folder/needed"
	while read -r file; do
		number=$((number + 1))
		name=$(basename "$file")
		case $name in
		*.xz) xz -dc "$file" >"$tree/modules/$number-${name%.xz}" ;;
		*.zst) zstd -qdc "$file" >"$tree/modules/$number-${name%.zst}" ;;
		*) cp "$file" "$tree/modules/$number-$name" ;;
		esac
	done <"$folder/needed"
done
(cd "$tree" && find . | cpio --quiet -o -H newc | gzip -1) >"$folder/initramfs"
echo "$version" >"$folder/version"
rm -rf "$tree" "$folder/tree" "$folder/base" "$folder/debs"
