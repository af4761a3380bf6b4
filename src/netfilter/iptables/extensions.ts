/**
The match modules and targets of iptables that may be installed without permission: those that Debian's iptables ships and whose effect stays in the namespace of the rules, each with all its options.

Names and options are from `iptables -m NAME --help`, `-j NAME --help` and iptables-extensions(8) (iptables 1.8.9). An unlisted name would make the tool open a library of that name, and the kernel load a module of that name.
*/

/** The options of one extension, and whether each takes a value. */
export type ExtensionOptions = ReadonlyMap<string, {readonly takesValue: boolean}>;

/** `name: --flag --option=`: an option that ends in `=` takes a value. */
function readTable(lines: readonly string[]): ReadonlyMap<string, ExtensionOptions> {
	return new Map(lines.map(line => {
		const [names = '', options = ''] = line.split(':');
		return [names, new Map(options.split(' ').filter(option => option !== '').map(option => [`--${option.replace(/=$/u, '')}`, {takesValue: option.endsWith('=')}]))];
	}));
}

/**
Known matches. `ipvs` is not listed and has to be allowed by name, because it loads the load balancer. `bpf` lacks `--object-pinned`, which opens a file.
*/
export const knownMatches = readTable([
	'addrtype: src-type= dst-type= limit-iface-in limit-iface-out',
	'ah: ahspi= ahlen= ahres',
	'bpf: bytecode=',
	'cgroup: path= cgroup=',
	'cluster: cluster-total-nodes= cluster-local-node= cluster-local-nodemask= cluster-hash-seed=',
	'comment: comment=',
	'connbytes: connbytes= connbytes-dir= connbytes-mode=',
	'connlabel: label= set',
	'connlimit: connlimit-upto= connlimit-above= connlimit-mask= connlimit-saddr connlimit-daddr',
	'connmark: mark=',
	'conntrack: ctstate= ctproto= ctorigsrc= ctorigdst= ctreplsrc= ctrepldst= ctorigsrcport= ctorigdstport= ctreplsrcport= ctrepldstport= ctstatus= ctexpire= ctdir=',
	'cpu: cpu=',
	'dccp: source-port= sport= destination-port= dport= dccp-types= dccp-option=',
	'devgroup: src-group= dst-group=',
	'dscp: dscp= dscp-class=',
	'dst: dst-len= dst-opts=',
	'ecn: ecn-tcp-cwr ecn-tcp-ece ecn-ip-ect=',
	'esp: espspi=',
	'eui64:',
	'frag: fragid= fraglen= fragres fragfirst fragmore fraglast',
	'hashlimit: hashlimit= hashlimit-upto= hashlimit-above= hashlimit-burst= hashlimit-mode= hashlimit-srcmask= hashlimit-dstmask= hashlimit-name= hashlimit-htable-size= hashlimit-htable-max= hashlimit-htable-expire= hashlimit-htable-gcinterval= hashlimit-rate-match hashlimit-rate-interval=',
	'hbh: hbh-len= hbh-opts=',
	'helper: helper=',
	'hl: hl-eq= hl-lt= hl-gt=',
	'icmp: icmp-type=',
	'icmp6: icmpv6-type=',
	'ipcomp: ipcompspi= compres',
	'iprange: src-range= dst-range=',
	'ipv6header: soft header=',
	'length: length=',
	'limit: limit= limit-burst=',
	'mac: mac-source=',
	'mark: mark=',
	'mh: mh-type=',
	'multiport: source-ports= sports= destination-ports= dports= ports= port=',
	'nfacct: nfacct-name=',
	'osf: genre= ttl= log=',
	'owner: uid-owner= gid-owner= suppl-groups socket-exists',
	'physdev: physdev-in= physdev-out= physdev-is-in physdev-is-out physdev-is-bridged',
	'pkttype: pkt-type=',
	'policy: dir= pol= strict reqid= spi= proto= mode= tunnel-src= tunnel-dst= next',
	'quota: quota=',
	'rateest: rateest-delta rateest= rateest1= rateest2= rateest-lt rateest-gt rateest-eq rateest-bps rateest-bps1 rateest-bps2 rateest-pps rateest-pps1 rateest-pps2',
	'realm: realm=',
	'recent: set rcheck update remove name= rsource rdest mask= seconds= reap hitcount= rttl',
	'rpfilter: loose validmark accept-local invert',
	'rt: rt-type= rt-segsleft= rt-len= rt-0-res rt-0-addrs= rt-0-not-strict',
	'sctp: source-port= sport= destination-port= dport= chunk-types=',
	'set: match-set= set= return-nomatch update-counters update-subcounters packets-eq= packets-lt= packets-gt= bytes-eq= bytes-lt= bytes-gt=',
	'socket: transparent nowildcard restore-skmark',
	'srh: srh-next-hdr= srh-hdr-len-eq= srh-hdr-len-gt= srh-hdr-len-lt= srh-segs-left-eq= srh-segs-left-gt= srh-segs-left-lt= srh-last-entry-eq= srh-last-entry-gt= srh-last-entry-lt= srh-tag= srh-psid= srh-nsid= srh-lsid=',
	'state: state=',
	'statistic: mode= probability= every= packet=',
	'string: algo= from= to= string= hex-string= icase',
	'tcp: source-port= sport= destination-port= dport= tcp-flags= syn tcp-option=',
	'tcpmss: mss=',
	'time: datestart= datestop= timestart= timestop= monthdays= weekdays= contiguous kerneltz utc localtz',
	'tos: tos=',
	'ttl: ttl-eq= ttl-lt= ttl-gt= ttl=',
	'u32: u32=',
	'udp: source-port= sport= destination-port= dport=',
]);

/**
Known targets. Not listed, so that they have to be allowed by name: `AUDIT` (writes to the machine's audit log), `IDLETIMER` (creates files in the machine's /sys) and `LED` (creates triggers for the machine's lights).
*/
export const knownTargets = readTable([
	'CHECKSUM: checksum-fill',
	'CLASSIFY: set-class=',
	'CLUSTERIP: new hashmode= clustermac= total-nodes= local-node= hash-init=',
	'CONNMARK: set-xmark= save-mark restore-mark nfmask= ctmask= and-mark= or-mark= xor-mark= set-mark= mask= left-shift-mark= right-shift-mark=',
	'CONNSECMARK: save restore',
	'CT: notrack helper= ctevents= expevents= zone-orig= zone-reply= zone= timeout=',
	'DNAT: to-destination= random random-fully persistent',
	'DNPT: src-pfx= dst-pfx=',
	'DSCP: set-dscp= set-dscp-class=',
	'ECN: ecn-tcp-remove ecn-tcp-cwr= ecn-tcp-ece= ecn-ip-ect=',
	'HL: hl-set= hl-dec= hl-inc=',
	'HMARK: hmark-tuple= hmark-mod= hmark-offset= hmark-src-prefix= hmark-dst-prefix= hmark-sport= hmark-dport= hmark-spi= hmark-sport-mask= hmark-dport-mask= hmark-spi-mask= hmark-proto-mask= hmark-rnd=',
	'LOG: log-level= log-prefix= log-tcp-sequence log-tcp-options log-ip-options log-uid log-macdecode',
	'MARK: set-xmark= set-mark= and-mark= or-mark= xor-mark=',
	'MASQUERADE: to-ports= random random-fully',
	'NETMAP: to=',
	'NFLOG: nflog-group= nflog-prefix= nflog-range= nflog-size= nflog-threshold=',
	'NFQUEUE: queue-num= queue-balance= queue-bypass queue-cpu-fanout',
	'NOTRACK:',
	'RATEEST: rateest-name= rateest-interval= rateest-ewmalog= rateest-ewma=',
	'REDIRECT: to-ports= random random-fully',
	'REJECT: reject-with=',
	'SECMARK: selctx=',
	'SET: add-set= del-set= map-set= timeout= exist map-mark map-prio map-queue',
	'SNAT: to-source= random random-fully persistent',
	'SNPT: src-pfx= dst-pfx=',
	'SYNPROXY: mss= wscale= sack-perm timestamp timestamps ecn',
	'TCPMSS: set-mss= clamp-mss-to-pmtu',
	'TCPOPTSTRIP: strip-options=',
	'TEE: gateway= oif=',
	'TOS: set-tos= and-tos= or-tos= xor-tos=',
	'TPROXY: on-port= on-ip= tproxy-mark=',
	'TRACE:',
	'TTL: ttl-set= ttl-dec= ttl-inc=',
	'ULOG: ulog-nlgroup= ulog-prefix= ulog-cprange= ulog-qthreshold=',
]);

/** Conntrack helpers in the kernel source (net/netfilter/nf_conntrack_*.c). The kernel loads a module by such a name (nf_conntrack_helper.c: `nfct-helper-NAME`). */
export const conntrackHelpers: ReadonlySet<string> = new Set(['amanda', 'ftp', 'h323', 'RAS', 'Q.931', 'irc', 'netbios-ns', 'pptp', 'sane', 'sip', 'snmp', 'snmp_trap', 'tftp']);

/** Options whose value names a module for the kernel to load, with the known values: text search algorithms (lib/textsearch.c loads `ts_NAME`), and helpers. */
export const valuesOfOption: ReadonlyMap<string, ReadonlySet<string>> = new Map([
	['-m string --algo', new Set(['bm', 'kmp', 'fsm'])],
	['-j CT --helper', conntrackHelpers],
]);

/** The long options of iptables itself (iptables(8) and iptables-restore(8), 1.8.9). A module's option must be neither one of them nor an abbreviation, which getopt_long(3) accepts. `--modprobe` names a program to run. */
const ownOptions: readonly string[] = [
	'append delete check insert replace list list-rules flush zero new-chain delete-chain rename-chain policy',
	'source destination src dst protocol in-interface jump table match numeric out-interface verbose wait wait-interval',
	'exact fragments version help line-numbers modprobe set-counters goto ipv4 ipv6 counters noflush test',
].flatMap(line => line.split(' '));

/** Whether iptables would take an option, or an abbreviation, for one of its own. */
export function isOwnOption(name: string): boolean {
	const bare = name.replace(/^--/u, '');
	return ownOptions.some(option => option.startsWith(bare));
}
