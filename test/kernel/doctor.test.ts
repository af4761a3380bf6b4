/** The doctor: everything works here, and what is missing is named with the command that provides it. */

import {readdirSync, readlinkSync} from 'node:fs';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {backendsOf} from '../../src/netfilter/backends.js';
import {addressFamilies} from '../../src/mesh/topology.js';
import {abilitiesOf, type Ability} from '../../testbed/doctor/abilities.js';
import {diagnose} from '../../testbed/doctor/doctor.js';
import type {Finding} from '../../testbed/doctor/check.js';
import {complaintOf, schemaFor} from '../helpers/json-schemas.js';
import {fakes, testbedOnOtherMachine} from './_machine.js';

test.serial('everything works on this machine', async t => {
	const told: Finding[] = [];
	const findings = await diagnose(finding => {
		told.push(finding);
	});
	t.deepEqual(findings.filter(({ok}) => !ok), []);
	t.deepEqual(told, findings);
	for (const backend of backendsOf('iptables')) {
		for (const family of addressFamilies) {
			for (const what of ['nat table', 'owner match', 'REDIRECT target', 'TPROXY target', 'conntrack match', 'a packet\'s trace']) {
				t.true(findings.some(finding => finding.what.startsWith(`${backend}, ${family}: ${what}`)), `${backend}, ${family}: ${what}`);
			}
		}
	}

	// What commands use beyond the rules of every set.
	const rules = ['CT target', 'CONNMARK target', 'MARK target', 'connmark match', 'mark match', 'multiport match', 'REJECT target'];
	const actors = ['a process that becomes another user', 'sockets created as another user', 'transparent sockets as another user', 'raw sockets'];
	for (const what of [...actors, 'conntrack by netlink', ...rules.map(rule => `iptables-legacy, ipv6: ${rule}`), 'nftables: reject', 'nftables: conntrack zones']) {
		t.true(findings.some(finding => finding.what.startsWith(what)), what);
	}

	t.true(abilitiesOf(findings).every(({ok}) => ok));

	for (const what of ['nftables: nat table', 'nftables: owner match', 'nftables: REDIRECT target', 'nftables: TPROXY target', 'nftables: conntrack match', 'nftables, ipv4: a packet\'s trace', 'nftables, ipv6: a packet\'s trace']) {
		t.true(findings.some(finding => finding.what.startsWith(what)), what);
	}

	t.true(findings.every(({needs, fix}) => needs !== '' && fix !== ''));
	t.is(new Set(findings.map(({what}) => what)).size, findings.length);
});

test.serial('it leaves no namespace open', async t => {
	const descriptors = (): readonly string[] => readdirSync('/proc/self/fd').map(fd => {
		try {
			return readlinkSync(`/proc/self/fd/${fd}`);
		} catch {
			return '';
		}
	}).filter(link => link.startsWith('net:'));
	const before = descriptors();
	await diagnose();
	t.true(descriptors().length <= Math.max(1, before.length), descriptors().join(', '));
});

type Diagnosis = {readonly findings: readonly Finding[]; readonly commands: readonly Ability[]};

/** The doctor on a machine that lacks some of this one's programs. `fakes` are scripts that replace programs. */
async function doctorWithout(t: ExecutionContext, missing: readonly string[], fakes: Readonly<Record<string, string>> = {}): Promise<Diagnosis & {readonly exitCode: number | undefined}> {
	const {exitCode, stdout} = await testbedOnOtherMachine(['doctor', '--format', 'json'], {missing, fakes});
	const document = JSON.parse(stdout) as Diagnosis;
	t.is(complaintOf(schemaFor('doctor', {isClosed: true}), document), null);
	return {exitCode, ...document};
}

const absences = [
	{missing: ['nft'], red: /program nft|trace|^nftables/u, hint: 'apt-get install -y nftables'},
	{missing: ['iptables-legacy-restore'], red: /^iptables-legacy, ipv4/u, hint: 'apt-get install -y iptables'},
	{missing: ['ip6tables-nft-restore'], red: /^iptables-nft, ipv6/u, hint: 'apt-get install -y iptables'},
] as const;

for (const {missing, red, hint} of absences) {
	test.serial(`without ${missing.join(', ')}: status 4, the checks that need it fail, with the package to install`, async t => {
		const {exitCode, findings} = await doctorWithout(t, missing);
		t.is(exitCode, 4);
		const failed = findings.filter(({ok}) => !ok);
		t.true(failed.length > 0);
		for (const {what, needs, reason, fix} of findings.filter(finding => red.test(finding.what))) {
			t.true(failed.some(finding => finding.what === what), what);
			t.regex(`${needs} ${reason ?? ''}`, new RegExp(missing.join('|'), 'u'), what);
			t.is(fix, hint, what);
		}

		t.deepEqual(failed.filter(({what}) => !red.test(what)).map(({what}) => what), []);
	});
}

test.serial('a kernel without the owner match: the check fails, with the module and the command that loads it', async t => {
	// What iptables says on such a kernel; this one has it.
	const refuse = (name: string): string => `rules=$(cat)\ncase "$rules" in *owner*) echo "Warning: Extension owner revision 0 not supported, missing kernel module?" >&2; exit 4;; esac\nprintf '%s\\n' "$rules" | exec ${name} "$@"`;
	const real = readlinkSync('/usr/sbin/iptables-nft-restore');
	t.is(path.basename(real), 'xtables-nft-multi');
	const {exitCode, findings} = await doctorWithout(t, [], {'iptables-nft-restore': refuse('/usr/sbin/xtables-nft-multi iptables-restore')});
	t.is(exitCode, 4);
	const failed = findings.filter(({ok}) => !ok);
	t.deepEqual(failed.map(({what}) => what), ['iptables-nft, ipv4: owner match']);
	t.like(failed[0], {fix: 'modprobe xt_owner'});
	t.regex(failed[0]!.needs, /xt_owner/u);
	t.regex(failed[0]!.reason ?? '', /missing kernel module/u);
});

test.serial('a kernel without the CT target: the commands that would not work are named, in text and JSON', async t => {
	const withoutCt = {'iptables-nft-restore': fakes.without('owner').replace('*"-m owner "*', '*"-j CT "*').replaceAll('owner', 'CT')};
	const {exitCode, findings, commands} = await doctorWithout(t, [], withoutCt);
	t.is(exitCode, 4);
	t.deepEqual(findings.filter(({ok}) => !ok).map(({what}) => what), ['iptables-nft, ipv4: CT target']);
	t.deepEqual(commands.filter(({ok}) => !ok), ['rules with --redirect-dns', 'ambient mode'].map(what => ({
		what, backend: 'iptables-nft', ok: false, because: ['iptables-nft, ipv4: CT target'], fix: ['modprobe xt_CT'],
	})));
	const {stdout} = await testbedOnOtherMachine(['doctor'], {fakes: withoutCt});
	t.regex(stdout, /These would not work on this machine:\n {2}✖ rules with --redirect-dns, on iptables-nft\n {6}no ipv4: CT target\n {6}→ modprobe xt_CT\n/u);
	t.true(stdout.split('\n').every(line => line.length <= 80), 'in 80 columns');
});

test.serial('an iptables that accepts everything and does nothing: the trace shows it', async t => {
	const {exitCode, findings} = await doctorWithout(t, [], {'iptables-nft-restore': 'cat >/dev/null'});
	t.is(exitCode, 4);
	t.deepEqual(findings.filter(({ok}) => !ok).map(({what}) => what), ['iptables-nft, ipv4: a packet\'s trace, read by netlink']);
});
