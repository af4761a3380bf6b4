/**
Rule sets and batches of probes of any size for `npm run bench`, the same every time: what a machine has measured can be measured again elsewhere.
*/

/** /24s whose targets alternate between RETURN and REDIRECT. */
export function rangeRules(count: number): string {
	return natTable(['RANGES'], ['-A OUTPUT -p tcp -j RANGES', ...Array.from({length: count}, (_, index) => `-A RANGES -d 10.${(index >> 8) & 255}.${index & 255}.0/24 ${index % 2 === 0 ? '-j RETURN' : '-p tcp -j REDIRECT --to-ports 15001'}`)]);
}

/** Ports, ranges, users, marks and negations. */
export function mixedRules(count: number): string {
	const random = lcg(14);
	const conditions = [
		() => `-p tcp -m tcp --dport ${1 + random(60_000)}`,
		() => `-d 10.${random(256)}.${random(256)}.0/24`,
		() => `-m owner --uid-owner ${random(4000)}`,
		() => `-m owner ! --uid-owner ${random(4000)} -m owner --gid-owner ${random(4000)}`,
		() => `-m mark --mark 0x${random(200).toString(16)}`,
		() => `-p tcp -m tcp --dport ${1 + random(60_000)} -m owner --uid-owner ${random(4000)}`,
		() => `! -d 10.${random(256)}.${random(256)}.0/24 -p tcp -m tcp --dport ${1 + random(60_000)}`,
	];
	// Without a rule that needs conntrack, packets would not reach nat at all.
	const first = '-d 192.0.2.1/32 -p tcp -j REDIRECT --to-ports 15001';
	const rules = [first, ...Array.from({length: count - 1}, (_, index) => `${conditions[random(conditions.length)]!()} ${index % 2 === 0 ? '-j RETURN' : '-j ACCEPT'}`)];
	return natTable(['MIXED'], ['-A OUTPUT -p tcp -j MIXED', ...rules.map(rule => `-A MIXED ${rule}`)]);
}

/** Lines for `probe --batch`: from three users, to four places. */
export function probeLines(count: number): string {
	const places = ['remote:8080', 'pod:8080', 'localhost:8080', 'istiod:15012'];
	return Array.from({length: count}, (_, id) => `${JSON.stringify({id, uid: [0, 1337, 1000][id % 3], to: places[id % 4]})}\n`).join('');
}

/**
What kube-proxy writes on a node, in iptables mode: for each service a rule, a chain of its own and a rule for masquerading, and for each of its endpoints a rule and a chain with two. So each service has 2 rules, and 3 for each endpoint.
*/
export function nodeRules({services, endpoints}: {readonly services: number; readonly endpoints: number}): string {
	const random = lcg(14);
	const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
	const chainName = (kind: 'SVC' | 'SEP'): string => `KUBE-${kind}-${Array.from({length: 16}, () => letters[random(letters.length)]!).join('')}`;
	const chains: string[] = ['KUBE-SERVICES', 'KUBE-MARK-MASQ', 'KUBE-POSTROUTING'];
	const own: string[] = [];
	const rules = [
		'-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
		'-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
		'-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING',
		'-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000',
		'-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN',
		'-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0',
		'-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE',
	];
	for (let service = 0; service < services; service++) {
		const address = `10.96.${16 + (service >> 8)}.${service & 255}`;
		const name = `team-${service % 40}/service-${service}:http`;
		const chain = chainName('SVC');
		chains.push(chain);
		rules.push(`-A KUBE-SERVICES -d ${address}/32 -p tcp -m comment --comment "${name} cluster IP" -m tcp --dport 80 -j ${chain}`);
		own.push(`-A ${chain} ! -s 10.244.0.0/16 -d ${address}/32 -p tcp -m comment --comment "${name} cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ`);
		for (let endpoint = 0; endpoint < endpoints; endpoint++) {
			const [to, at] = [chainName('SEP'), `10.244.${2 + random(200)}.${1 + random(254)}`];
			const left = endpoints - endpoint;
			chains.push(to);
			own.push(
				`-A ${chain} -m comment --comment "${name} -> ${at}:8080" ${left === 1 ? '' : `-m statistic --mode random --probability ${(1 / left).toFixed(11)} `}-j ${to}`,
				`-A ${to} -s ${at}/32 -m comment --comment "${name}" -j KUBE-MARK-MASQ`,
				`-A ${to} -p tcp -m comment --comment "${name}" -m tcp -j DNAT --to-destination ${at}:8080`,
			);
		}
	}

	return natTable(chains, [...rules, ...own]);
}

function natTable(chains: readonly string[], rules: readonly string[]): string {
	return ['*nat', ...['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'].map(name => `:${name} ACCEPT [0:0]`), ...chains.map(name => `:${name} - [0:0]`), ...rules, 'COMMIT', ''].join('\n');
}

/** Whole numbers below a bound, the same from the same seed (Numerical Recipes' generator). */
function lcg(seed: number): (below: number) => number {
	let state = seed;
	return below => {
		state = ((Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0);
		return Math.floor(state / 0x1_00_00_00_00 * below);
	};
}
