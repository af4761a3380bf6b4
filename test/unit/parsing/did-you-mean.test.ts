/** The one place that suggests names: the same nearest name everywhere, and only when it is close. */

import test from 'ava';
import {closeNames, closestName, didYouMean} from '../../../src/parsing/did-you-mean.js';

const commands = ['run', 'probe', 'diff', 'mutate', 'coverage', 'baseline', 'rules', 'replay', 'doctor', 'clean'];
const backends = ['iptables-nft', 'iptables-legacy', 'nftables'];
const formats = ['text', 'json', 'tap', 'junit', 'markdown', 'github'];

for (const [name, known, wanted] of [
	['prob', commands, ['probe']],
	['runn', commands, ['run']],
	['rnu', commands, ['run']],
	['DIFF', commands, ['diff']],
	['walk', commands, []],
	['x', commands, []],
	['', commands, []],
	['legacy', backends, ['iptables-legacy']],
	['nft', backends, ['iptables-nft', 'nftables']],
	['iptables', backends, ['iptables-nft', 'iptables-legacy']],
	['pf', backends, []],
	['jsn', formats, ['json']],
	['yaml', formats, []],
	['v4', ['ipv4', 'ipv6', 'both'], ['ipv4']],
	['ipv5', ['ipv4', 'ipv6', 'both'], ['ipv4', 'ipv6']],
	['ap', ['app', 'proxy', 'agent'], ['app']],
	['tpc', ['tcp', 'udp'], ['tcp']],
	['ab', ['ax', 'ay', 'az'], []],
	['anything', [], []],
] as const) {
	test(`"${name}" among ${known.join(', ')}`, t => {
		t.deepEqual(closeNames(name, known), wanted);
		t.is(closestName(name, known), wanted.length === 1 ? wanted[0] : undefined);
		t.is(didYouMean(name, known), wanted.length === 0 ? '' : ` Did you mean ${wanted.join(' or ')}?`);
	});
}
