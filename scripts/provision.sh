#!/bin/sh
# Prepares a Debian or Ubuntu machine (a VM, a container, CI) for the testbed. You can run it again at any time: it leaves everything alone that is already installed.
set -eu

node_major=22 # The release line to install from NodeSource; the distribution's own Node comes first.
node_floor='20.19.0'

usage() {
	cat <<END
Usage: sh scripts/provision.sh [--node-only]

Installs these if they are missing:
  Node >= $node_floor with npm   from the distribution if that is new enough, otherwise from NodeSource
  iptables nftables iproute2      from the distribution (not with --node-only)

Needs root and apt-get. Exit status: 0 everything is installed, 4 the machine cannot do it (the reason is printed).
END
}

fail() {
	echo "provision: $1" >&2
	echo "  Do: $2" >&2
	exit 4
}

say() {
	echo "provision: $1" >&2
}

# Whether version $1 is at least $2: the lower version sorts first, or they are equal.
at_least() {
	[ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]
}

node_is_new_enough() {
	command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 && at_least "$(node --version | sed 's/^v//')" "$node_floor"
}

apt_install() {
	say "installing $*"
	DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@" >&2
}

need_apt() {
	[ "$(id -u)" -eq 0 ] || fail "installing needs root, but this is UID $(id -u)." 'sudo sh scripts/provision.sh'
	command -v apt-get >/dev/null 2>&1 || fail 'there is no apt-get; this script supports only Debian and Ubuntu.' "Install Node >= $node_floor with npm, iptables, nftables and iproute2 with your distribution's package manager."
	[ -n "${apt_updated:-}" ] || apt-get -q update >&2
	apt_updated=yes
}

# The version that the distribution would install, without its epoch and revision; empty if it has none.
distribution_node() {
	apt-cache policy nodejs | sed -n 's/^  Candidate: *//p' | sed 's/^[0-9]*://; s/[-+~].*//; s/^(none)$//'
}

install_node() {
	need_apt
	candidate=$(distribution_node)
	if [ -n "$candidate" ] && at_least "$candidate" "$node_floor"; then
		apt_install nodejs npm
	else
		say "The distribution's Node is ${candidate:-missing}; the testbed needs $node_floor. Installing it from NodeSource."
		apt_install ca-certificates curl
		mkdir -p /etc/apt/keyrings
		# Since version 1.4, apt can read an ASCII-armored key, so gnupg is not needed.
		curl -fsSL -o /etc/apt/keyrings/nodesource.asc https://deb.nodesource.com/gpgkey/nodesource-repo.gpg.key ||
			fail 'could not download the key of deb.nodesource.com; nothing was set up.' "Install Node >= $node_floor by hand: https://nodejs.org/en/download"
		echo "deb [signed-by=/etc/apt/keyrings/nodesource.asc] https://deb.nodesource.com/node_$node_major.x nodistro main" >/etc/apt/sources.list.d/nodesource.list
		apt-get -q update >&2
		apt_install nodejs # It brings its own npm.
	fi

	hash -r
	node_is_new_enough || fail "Node is still older than $node_floor, or npm is missing: $(command -v node || echo 'no node in PATH')." 'Check which node comes first in PATH: command -v node'
}

install_netfilter() {
	missing=''
	PATH="$PATH:/usr/sbin:/sbin"
	command -v iptables-nft-restore >/dev/null 2>&1 && command -v iptables-legacy-restore >/dev/null 2>&1 || missing="$missing iptables"
	command -v nft >/dev/null 2>&1 || missing="$missing nftables"
	command -v ip >/dev/null 2>&1 || missing="$missing iproute2"
	[ -z "$missing" ] && return
	need_apt
	# shellcheck disable=SC2086 # These are several words on purpose.
	apt_install $missing
}

node_only=''
for option in "$@"; do
	case $option in
	--help | -h)
		usage
		exit 0
		;;
	--node-only) node_only=yes ;;
	*)
		usage >&2
		exit 2
		;;
	esac
done

node_is_new_enough || install_node
[ -n "$node_only" ] || install_netfilter
say "ready: node $(node --version), npm $(npm --version)"
