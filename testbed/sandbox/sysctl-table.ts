/**
The sysctls that every namespace of the sandbox begins with, as data.

A new namespace does not begin empty. It takes `net.ipv4.conf.{all,default}` from the machine's first namespace, and `conf.lo` with it; with `net.core.devconf_inherit_init_net` 1 or 3 also `net.ipv6.conf` (Documentation/admin-guide/sysctl/net.rst; devinet_init_net in net/ipv4/devinet.c, addrconf_init_net in net/ipv6/addrconf.c); and TCP's congestion control and buffer sizes (tcp_sk_init in net/ipv4/tcp_ipv4.c). Everything else begins with what the kernel was compiled with, which can differ between versions. With `route_localnet=1`, which kube-proxy sets on a node, 3 of 186 probes had another answer (measured), so nothing of it is left to the machine.

Where the testbed has no wish of its own, the value is the kernel's own default, so that a namespace is what it is on a machine that changed nothing. What is neither inherited nor different from version to version is not listed: conntrack's time-outs and strictness, MPTCP, the limits on fragments. `nf_conntrack_max` is one number for the whole machine, which a namespace cannot set.
*/

/** One sysctl. `name` is its path below /proc/sys. `since` is there where kernels that the testbed runs on may lack it, and says which: it is set where it is there. */
export type SysctlSetting = {readonly name: string; readonly value: string; readonly why: string; readonly since?: string};

type Row = readonly [name: string, value: string, why: string, since?: string];
type Place = 'all' | 'default' | 'lo';

/** `lo` is there as soon as the namespace is, with the values that `default` had then; interfaces that come later take those of `default`. */
const everywhere: readonly Place[] = ['all', 'default', 'lo'];

function conf(family: 'ipv4' | 'ipv6', places: readonly Place[], rows: readonly Row[]): readonly SysctlSetting[] {
	return rows.flatMap(([name, value, why, since]) => places.map(place => ({
		name: `net/${family}/conf/${place}/${name}`, value, why, ...(since === undefined ? {} : {since}),
	})));
}

function plain(family: 'ipv4' | 'ipv6', rows: readonly Row[]): readonly SysctlSetting[] {
	return rows.map(([name, value, why, since]) => ({
		name: `net/${family}/${name}`, value, why, ...(since === undefined ? {} : {since}),
	}));
}

/** In the order in which they are set: the kernel changes some of the later ones when an earlier one changes. */
export const sysctlSettings: readonly SysctlSetting[] = [
	...plain('ipv4', [
		['ip_forward', '0', 'The pod is a host. Where a scenario gives it further interfaces, it is turned on afterwards. A change resets conf/*, so it goes first.'],
	]),
	...conf('ipv6', ['all'], [
		['forwarding', '0', 'As ip_forward.'],
		['disable_ipv6', '0', 'The sandbox has addresses of both families. This one reaches every device that is there.'],
	]),
	...conf('ipv4', everywhere, [
		['forwarding', '0', 'As ip_forward.'],
		['route_localnet', '0', 'With it 127.0.0.0/8 is routed like any address: a call from 127.0.0.6 to another host leaves instead of failing.'],
		['rp_filter', '0', 'With it a packet is dropped whose source would be reached another way: TPROXY and two interfaces.'],
		['src_valid_mark', '0', 'Whether rp_filter looks at marks.'],
		['accept_local', '0', 'Whether a packet from outside may have a source of this host.'],
		['accept_source_route', '0', 'Routes that a packet brings with it.'],
		['accept_redirects', '1', 'ICMP redirects change routes.'],
		['secure_redirects', '1', 'From which routers they may come.'],
		['send_redirects', '1', 'Whether a forwarding pod sends them: packets of the kernel\'s own.'],
		['shared_media', '1', 'Which of them are believed and sent.'],
		['log_martians', '0', 'The machine\'s log is not for the sandbox\'s packets.'],
		['arp_ignore', '0', 'Which addresses are answered for.'],
		['arp_announce', '0', 'Which address a question for a neighbour comes from.'],
		['arp_filter', '0', 'Which interface answers.'],
		['arp_accept', '0', 'Whether unasked answers make neighbours.'],
		['arp_notify', '0', 'Packets of the kernel\'s own when an interface comes up.'],
		['proxy_arp', '0', 'Whether it answers for others.'],
		['proxy_arp_pvlan', '0', 'As proxy_arp.'],
		['drop_gratuitous_arp', '0', 'As arp_accept.'],
		['arp_evict_nocarrier', '1', 'What becomes of neighbours while a link has no other end.', 'Linux 5.16'],
		['promote_secondaries', '0', 'What becomes of further addresses when the first one goes.'],
		['drop_unicast_in_l2_multicast', '0', 'Packets that are dropped before any rule.'],
		['ignore_routes_with_linkdown', '0', 'Which route is taken while a link comes up.'],
		['bc_forwarding', '0', 'Directed broadcasts.'],
	]),
	// The kernel sets both to 1 on `lo` itself.
	...conf('ipv4', ['all', 'default'], [
		['disable_policy', '0', 'IPsec policies.'],
		['disable_xfrm', '0', 'As disable_policy.'],
	]),
	...conf('ipv6', everywhere, [
		['accept_ra', '0', 'Nobody advertises a router here.'],
		['accept_redirects', '1', 'As in IPv4.'],
		['accept_source_route', '0', 'As in IPv4.'],
		['use_tempaddr', '0', 'No address of the kernel\'s own making.'],
		['use_oif_addrs_only', '0', 'Which address a packet leaves with.'],
		['optimistic_dad', '0', 'Which addresses can be used at once.'],
		['hop_limit', '64', 'A rule can match it.'],
		['proxy_ndp', '0', 'Whether it answers for others.'],
		['ndisc_notify', '0', 'Packets of the kernel\'s own when an interface comes up.'],
		['max_addresses', '16', 'How many addresses an interface makes by itself.'],
		['keep_addr_on_down', '0', 'What becomes of addresses when a link goes down.'],
		['disable_policy', '0', 'IPsec policies.'],
		['drop_unicast_in_l2_multicast', '0', 'As in IPv4.'],
		['ignore_routes_with_linkdown', '0', 'As in IPv4.'],
		['drop_unsolicited_na', '0', 'As drop_gratuitous_arp in IPv4.'],
		['ndisc_evict_nocarrier', '1', 'As arp_evict_nocarrier in IPv4.', 'Linux 5.16'],
		['seg6_enabled', '0', 'Routes that a packet brings with it.', 'a kernel with IPV6_SEG6_LWTUNNEL (4.10)'],
		['force_forwarding', '0', 'Forwarding by one interface alone.', 'Linux 6.17'],
	]),
	// `lo` has values of its own for these.
	...conf('ipv6', ['default'], [
		['disable_ipv6', '0', 'As for all.'],
		['forwarding', '0', 'As ip_forward.'],
		['accept_dad', '0', 'No packet of the kernel\'s own, and no waiting for duplicates.'],
		['router_solicitations', '0', 'No packet of the kernel\'s own.'],
		['addr_gen_mode', '1', 'No link-local address of the kernel\'s own making (1: none).'],
	]),
	...conf('ipv6', ['all'], [
		['accept_dad', '0', 'The higher one of this and the interface\'s counts.'],
	]),
	...plain('ipv4', [
		['ip_unprivileged_port_start', '0', 'Any actor may listen on any port, as in the pods that containerd 2 and CRI-O make.'],
		['ip_local_port_range', '32768 60999', 'Which ports a connection gets.'],
		['ip_local_reserved_ports', '', 'Which of them it does not get.'],
		['ip_nonlocal_bind', '0', 'Who may bind an address that is not this host\'s.'],
		['ip_autobind_reuse', '0', 'Which ports a connection gets.', 'Linux 5.7'],
		['ip_default_ttl', '64', 'A rule can match it.'],
		['ip_no_pmtu_disc', '0', 'Whether packets say DF.'],
		['ip_early_demux', '1', 'Whether a packet that comes in has its socket before the rules see it.'],
		['tcp_early_demux', '1', 'As ip_early_demux.'],
		['udp_early_demux', '1', 'As ip_early_demux.'],
		['fwmark_reflect', '0', 'Whether answers of the kernel have the mark of what they answer.'],
		['tcp_fwmark_accept', '0', 'Whether an accepted connection has the mark of its first packet.'],
		['tcp_l3mdev_accept', '0', 'Which sockets a packet can reach.', 'a kernel with NET_L3_MASTER_DEV'],
		['udp_l3mdev_accept', '0', 'As tcp_l3mdev_accept.', 'a kernel with NET_L3_MASTER_DEV'],
		['raw_l3mdev_accept', '1', 'As tcp_l3mdev_accept.', 'a kernel with NET_L3_MASTER_DEV'],
		['icmp_echo_ignore_all', '0', 'Whether an echo request is answered.'],
		['icmp_ratelimit', '1000', 'How many errors (port unreachable) a host sends, which are the answers of UDP probes.'],
		['icmp_ratemask', '6168', 'Which kinds of errors that limits.'],
		['icmp_errors_use_inbound_ifaddr', '0', 'Which address errors come from.'],
		['tcp_syn_retries', '6', 'How often a connection is tried.'],
		['tcp_syn_linear_timeouts', '4', 'When it is tried again.', 'Linux 6.5'],
		['tcp_synack_retries', '5', 'How often it is answered.'],
		['tcp_syncookies', '1', 'What a full listener does.', 'a kernel with SYN_COOKIES'],
		['tcp_abort_on_overflow', '0', 'As tcp_syncookies.'],
		['tcp_timestamps', '1', 'Whether a port can be used again within a minute.'],
		['tcp_tw_reuse', '2', 'As tcp_timestamps.'],
		['tcp_fastopen', '1', 'Whether a first packet can have data.'],
		['tcp_ecn', '2', 'Flags of a first packet, which a rule can match.'],
		['tcp_congestion_control', 'reno', 'One that needs ECN sets flags of a first packet. Every kernel has this one.'],
		['tcp_mtu_probing', '0', 'Sizes of packets.'],
		['tcp_rmem', '4096 131072 6291456', 'The window of a first packet.'],
		['tcp_wmem', '4096 16384 4194304', 'How much a connection takes before it is read.'],
	]),
	...plain('ipv6', [
		['bindv6only', '0', 'Whether a socket of IPv6 takes IPv4 as well.'],
		['ip_nonlocal_bind', '0', 'As in IPv4.'],
		['fwmark_reflect', '0', 'As in IPv4.'],
		['auto_flowlabels', '1', 'A field of the header.'],
		['icmp/ratelimit', '100', 'As in IPv4. 100 is what Linux 6.18 has (measured).'],
		['icmp/echo_ignore_all', '0', 'As in IPv4.'],
	]),
];

/** The same for each device once it is there, below `net/ipv4/neigh` and `net/ipv6/neigh`: devices take these from the machine's own `neigh/default`, which no other namespace has. Units are in the names; `solicit` counts questions. */
export const neighborSettings: readonly SysctlSetting[] = [
	{name: 'mcast_solicit', value: '3', why: 'How long a packet waits for a neighbour that nobody is, until it is unreachable.'},
	{name: 'ucast_solicit', value: '3', why: 'As mcast_solicit.'},
	{name: 'app_solicit', value: '0', why: 'As mcast_solicit.'},
	{name: 'mcast_resolicit', value: '0', why: 'As mcast_solicit.'},
	{name: 'retrans_time_ms', value: '1000', why: 'As mcast_solicit.'},
];
