/**
The sysctls that the testbed sets in every namespace of the sandbox.

A new namespace does not start with fixed values. It inherits `net.ipv4.conf.{all,default}` from the machine's initial namespace, and `conf.lo` with it; with `net.core.devconf_inherit_init_net` 1 or 3 also `net.ipv6.conf` (Documentation/admin-guide/sysctl/net.rst; devinet_init_net in net/ipv4/devinet.c, addrconf_init_net in net/ipv6/addrconf.c); and TCP's congestion control and buffer sizes (tcp_sk_init in net/ipv4/tcp_ipv4.c). Everything else starts with the kernel's built-in defaults, which can differ between versions. With `route_localnet=1`, which kube-proxy sets on a node, 3 of 186 probes had a different answer (measured), so nothing is left to the machine.

If the testbed needs no particular value, it sets the kernel's default, so that a namespace is as on an unmodified machine. Values that are neither inherited nor different between versions are not listed: conntrack's timeouts and strictness, MPTCP, limits on fragments. `nf_conntrack_max` is global, and a namespace cannot set it.
*/

/** One sysctl. `name` is its path below /proc/sys. `since` is given if supported kernels may lack it, and says which have it: it is then set only if it exists. */
export type SysctlSetting = {readonly name: string; readonly value: string; readonly why: string; readonly since?: string};

type Row = readonly [name: string, value: string, why: string, since?: string];
type Place = 'all' | 'default' | 'lo';

/** `lo` exists as soon as the namespace does, with the values that `default` had at that time; later interfaces take those of `default`. */
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
		['ip_forward', '0', 'The pod is a host. If a scenario gives it further interfaces, this is turned on later. Changing it resets conf/*, so it comes first.'],
	]),
	...conf('ipv6', ['all'], [
		['forwarding', '0', 'See ip_forward.'],
		['disable_ipv6', '0', 'The sandbox has addresses of both families. This one applies to all existing devices.'],
	]),
	...conf('ipv4', everywhere, [
		['forwarding', '0', 'See ip_forward.'],
		['route_localnet', '0', 'If on, 127.0.0.0/8 is routed like any address: a connection from 127.0.0.6 to another host leaves instead of failing.'],
		['rp_filter', '0', 'If on, packets are dropped if the route back to their source is another one, as with TPROXY or two interfaces.'],
		['src_valid_mark', '0', 'Whether rp_filter considers marks.'],
		['accept_local', '0', 'Whether a packet from outside may have one of this host\'s addresses as its source.'],
		['accept_source_route', '0', 'Source routes in packets.'],
		['accept_redirects', '1', 'ICMP redirects change routes.'],
		['secure_redirects', '1', 'Which routers may send them.'],
		['send_redirects', '1', 'Whether a forwarding pod sends them, which adds packets of the kernel\'s own.'],
		['shared_media', '1', 'Which of them are accepted and sent.'],
		['log_martians', '0', 'Keeps the sandbox\'s packets out of the machine\'s log.'],
		['arp_ignore', '0', 'Which addresses ARP answers for.'],
		['arp_announce', '0', 'Which source address ARP requests have.'],
		['arp_filter', '0', 'Which interface answers ARP requests.'],
		['arp_accept', '0', 'Whether unsolicited replies create neighbor entries.'],
		['arp_notify', '0', 'Whether the kernel sends packets of its own when an interface comes up.'],
		['proxy_arp', '0', 'Whether it answers for other hosts.'],
		['proxy_arp_pvlan', '0', 'See proxy_arp.'],
		['drop_gratuitous_arp', '0', 'See arp_accept.'],
		['arp_evict_nocarrier', '1', 'What happens to neighbor entries while a link has no carrier.', 'Linux 5.16'],
		['promote_secondaries', '0', 'What happens to further addresses when the first one is removed.'],
		['drop_unicast_in_l2_multicast', '0', 'Whether packets are dropped before any rule.'],
		['ignore_routes_with_linkdown', '0', 'Which route is used while a link comes up.'],
		['bc_forwarding', '0', 'Directed broadcasts.'],
	]),
	// On `lo` the kernel itself sets both to 1.
	...conf('ipv4', ['all', 'default'], [
		['disable_policy', '0', 'IPsec policies.'],
		['disable_xfrm', '0', 'See disable_policy.'],
	]),
	...conf('ipv6', everywhere, [
		['accept_ra', '0', 'There are no router advertisements here.'],
		['accept_redirects', '1', 'As in IPv4.'],
		['accept_source_route', '0', 'As in IPv4.'],
		['use_tempaddr', '0', 'No addresses generated by the kernel.'],
		['use_oif_addrs_only', '0', 'Which source address a packet gets.'],
		['optimistic_dad', '0', 'Which addresses can be used immediately.'],
		['hop_limit', '64', 'A rule can match it.'],
		['proxy_ndp', '0', 'Whether it answers for other hosts.'],
		['ndisc_notify', '0', 'Whether the kernel sends packets of its own when an interface comes up.'],
		['max_addresses', '16', 'How many addresses are configured automatically.'],
		['keep_addr_on_down', '0', 'What happens to addresses when a link goes down.'],
		['disable_policy', '0', 'IPsec policies.'],
		['drop_unicast_in_l2_multicast', '0', 'As in IPv4.'],
		['ignore_routes_with_linkdown', '0', 'As in IPv4.'],
		['drop_unsolicited_na', '0', 'Like drop_gratuitous_arp in IPv4.'],
		['ndisc_evict_nocarrier', '1', 'Like arp_evict_nocarrier in IPv4.', 'Linux 5.16'],
		['seg6_enabled', '0', 'Source routes in packets.', 'a kernel with IPV6_SEG6_LWTUNNEL (4.10)'],
		['force_forwarding', '0', 'Forwarding on a single interface.', 'Linux 6.17'],
	]),
	// `lo` has its own values for these.
	...conf('ipv6', ['default'], [
		['disable_ipv6', '0', 'See all.'],
		['forwarding', '0', 'See ip_forward.'],
		['accept_dad', '0', 'No packets of the kernel\'s own, and no wait for duplicate address detection.'],
		['router_solicitations', '0', 'No packets of the kernel\'s own.'],
		['addr_gen_mode', '1', 'No link-local address generated by the kernel (1: none).'],
	]),
	...conf('ipv6', ['all'], [
		['accept_dad', '0', 'The higher of this and the interface\'s value applies.'],
	]),
	...plain('ipv4', [
		['ip_unprivileged_port_start', '0', 'Any actor may listen on any port, as in pods of containerd 2 and CRI-O.'],
		['ip_local_port_range', '32768 60999', 'Which source ports connections get.'],
		['ip_local_reserved_ports', '', 'Which source ports they do not get.'],
		['ip_nonlocal_bind', '0', 'Whether sockets may bind addresses that are not this host\'s.'],
		['ip_autobind_reuse', '0', 'Which source ports connections get.', 'Linux 5.7'],
		['ip_default_ttl', '64', 'A rule can match it.'],
		['ip_no_pmtu_disc', '0', 'Whether packets have the DF flag.'],
		['ip_early_demux', '1', 'Whether an incoming packet is assigned its socket before the rules see it.'],
		['tcp_early_demux', '1', 'See ip_early_demux.'],
		['udp_early_demux', '1', 'See ip_early_demux.'],
		['fwmark_reflect', '0', 'Whether the kernel\'s own answers get the mark of the packet they answer.'],
		['tcp_fwmark_accept', '0', 'Whether an accepted connection gets the mark of its first packet.'],
		['tcp_l3mdev_accept', '0', 'Which sockets a packet can reach.', 'a kernel with NET_L3_MASTER_DEV'],
		['udp_l3mdev_accept', '0', 'See tcp_l3mdev_accept.', 'a kernel with NET_L3_MASTER_DEV'],
		['raw_l3mdev_accept', '1', 'See tcp_l3mdev_accept.', 'a kernel with NET_L3_MASTER_DEV'],
		['icmp_echo_ignore_all', '0', 'Whether echo requests are answered.'],
		['icmp_ratelimit', '1000', 'See icmp_ratemask.'],
		['icmp_ratemask', '0', 'Which ICMP errors the kernel limits to one per second and host (6 at once): none. Port unreachable answers UDP probes, and in a sandbox that many rule sets use one after the other, the limit left some without an answer (mutate: 1 of 12 mutants).'],
		['icmp_errors_use_inbound_ifaddr', '0', 'Which source address errors have.'],
		['tcp_syn_retries', '6', 'How often a SYN is retransmitted.'],
		['tcp_syn_linear_timeouts', '4', 'When it is retransmitted.', 'Linux 6.5'],
		['tcp_synack_retries', '5', 'How often a SYN with ACK is retransmitted.'],
		['tcp_syncookies', '1', 'What a full listener does.', 'a kernel with SYN_COOKIES'],
		['tcp_max_syn_backlog', '2048', 'How many connections to a listener may be half open. By default it follows from the size of the table of connections.'],
		['tcp_max_tw_buckets', '131072', 'How many closed connections wait for late packets. See tcp_max_syn_backlog.'],
		['tcp_abort_on_overflow', '0', 'See tcp_syncookies.'],
		['tcp_timestamps', '1', 'Whether a port can be reused within a minute.'],
		['tcp_tw_reuse', '2', 'See tcp_timestamps.'],
		['tcp_fastopen', '1', 'Whether a first packet can carry data.'],
		['tcp_ecn', '2', 'Flags of a first packet, which a rule can match.'],
		['tcp_congestion_control', 'reno', 'Algorithms that need ECN set flags in the first packet. Every kernel has reno.'],
		['tcp_mtu_probing', '0', 'Sizes of packets.'],
		['tcp_rmem', '4096 131072 6291456', 'The window of a first packet.'],
		['tcp_wmem', '4096 16384 4194304', 'How much can be written before it is read.'],
	]),
	...plain('ipv6', [
		['bindv6only', '0', 'Whether an IPv6 socket accepts IPv4 as well.'],
		['ip_nonlocal_bind', '0', 'As in IPv4.'],
		['fwmark_reflect', '0', 'As in IPv4.'],
		['auto_flowlabels', '1', 'A field of the header, by which datagrams from one port are told apart (src/trace/packets.ts).'],
		['icmp/ratelimit', '0', 'As icmp_ratemask in IPv4.'],
		['icmp/ratemask', '', 'As icmp_ratemask in IPv4.'],
		['icmp/echo_ignore_all', '0', 'As in IPv4.'],
	]),
];

/** The same for each device once it exists, below `net/ipv4/neigh` and `net/ipv6/neigh`: devices inherit these from the machine's `neigh/default`, which other namespaces do not have. Units are in the names; `solicit` counts requests. */
export const neighborSettings: readonly SysctlSetting[] = [
	{name: 'mcast_solicit', value: '3', why: 'How long a packet waits for a missing neighbor before it counts as unreachable.'},
	{name: 'ucast_solicit', value: '3', why: 'See mcast_solicit.'},
	{name: 'app_solicit', value: '0', why: 'See mcast_solicit.'},
	{name: 'mcast_resolicit', value: '0', why: 'See mcast_solicit.'},
	{name: 'retrans_time_ms', value: '100', why: 'See mcast_solicit. By default a missing neighbor is known after three seconds, which has nothing to do with rules and would make connections wait. It still takes three requests: with only one, a kernel that is slow to answer would make an existing neighbor look missing, which would be a wrong answer without a gap.'},
];
