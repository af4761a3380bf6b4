/** Derives the commands that would not work from the doctor's findings. */

import test from 'ava';
import type {Backend} from '../../../../src/netfilter/types.js';
import {abilitiesOf} from '../../../../testbed/doctor/abilities.js';
import type {Finding, Use} from '../../../../testbed/doctor/check.js';

function finding(what: string, use: Use, {ok = true, backend}: {readonly ok?: boolean; readonly backend?: Backend} = {}): Finding {
	return {
		what, use, ok, group: 'a group', reason: ok ? undefined : 'No.', needs: 'a module', fix: `mend ${what}`, ...(backend === undefined ? {} : {backend}),
	};
}

const broken = (findings: readonly Finding[]): readonly string[] => abilitiesOf(findings).filter(({ok}) => !ok).map(({what, backend, fix}) => `${what} | ${backend ?? 'all'} | ${fix.join(', ')}`);

const cases: ReadonlyArray<readonly [title: string, findings: readonly Finding[], wanted: readonly string[]]> = [
	['all well', [finding('a', 'everything'), finding('b', 'prober')], []],
	['conntrack\'s netlink', [finding('a', 'everything'), finding('ct', 'prober', {ok: false})], ['probe --batch, diff, baseline, mutate, coverage | all | mend ct']],
	['another user', [finding('user', 'actors', {ok: false})], ['run, scenarios, probe | all | mend user']],
	['one back end\'s table', [finding('nat', 'every set', {ok: false, backend: 'iptables-legacy'}), finding('nat', 'every set', {backend: 'nftables'})], [
		'run, scenarios, probe | iptables-legacy | mend nat',
		'probe --batch, diff, baseline, mutate, coverage | iptables-legacy | mend nat',
		'rules with --redirect-dns | iptables-legacy | mend nat',
		'rules with -m TPROXY, --drop-invalid | iptables-legacy | mend nat',
		'ambient mode | iptables-legacy | mend nat',
	]],
	['a match that only dumps have', [finding('addrtype', 'dumps', {ok: false, backend: 'iptables-nft'})], ['other rules, from a dump | iptables-nft | mend addrtype']],
	['what everything needs is said for all back ends at once', [finding('veth', 'everything', {ok: false}), finding('nat', 'every set', {ok: false, backend: 'nftables'})], [
		'run, scenarios, probe | all | mend veth',
		'probe --batch, diff, baseline, mutate, coverage | all | mend veth',
		'rules with --redirect-dns | all | mend veth',
		'rules with -m TPROXY, --drop-invalid | all | mend veth',
		'ambient mode | all | mend veth',
		'packet: invalid | all | mend veth',
	]],
];

for (const [title, findings, wanted] of cases) {
	test(title, t => {
		t.deepEqual(broken(findings), wanted);
	});
}
