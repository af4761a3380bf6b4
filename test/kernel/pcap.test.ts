/** `--pcap`: every packet of a run, read by tshark; each leg's first packet with its rules. */

import {existsSync} from 'node:fs';
import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import {dir} from 'tmp-promise';
import {isLeftOut} from '../helpers/left-out.js';
import {testbed, type JsonReport} from './_cli.js';

type Line = {readonly where: string; readonly addresses: string; readonly isFirst: boolean; readonly comment: string};

async function linesOf(file: string): Promise<readonly Line[]> {
	const fields = ['frame.interface_name', 'ip.src', 'ipv6.src', 'tcp.flags', 'frame.comment'];
	const {stdout} = await execa('tshark', ['-r', file, '-T', 'fields', ...fields.flatMap(field => ['-e', field])]);
	return stdout.split('\n').filter(line => line !== '').map(line => {
		const [where = '', source4 = '', source6 = '', flags = '', comment = ''] = line.split('\t');
		return {
			where, addresses: `${source4}${source6}`, isFirst: (Number(flags) & 0x12) === 2, comment,
		};
	});
}

async function inFolder(act: (folder: string) => Promise<void>): Promise<void> {
	const folder = await dir({prefix: 'testbed-pcap-', unsafeCleanup: true});
	try {
		await act(folder.path);
	} finally {
		await folder.cleanup();
	}
}

async function runWith(t: ExecutionContext, file: string, given: readonly string[]): Promise<JsonReport> {
	const {exitCode, stdout, stderr} = await testbed([...given, '--pcap', file, '--format', 'json']);
	t.is(exitCode, 0, stderr);
	return JSON.parse(stdout) as JsonReport;
}

for (const backend of ['iptables-nft', 'iptables-legacy', 'nftables'] as const) {
	test(`the capture has every leg of the six types, with its rules, ${backend}`, async t => {
		if (isLeftOut(t, {program: 'tshark'})) {
			return;
		}

		await inFolder(async folder => {
			const file = path.join(folder, 'run.pcapng');
			const {types} = await runWith(t, file, ['--family', 'both', '--backend', backend]);
			const lines = await linesOf(file);
			t.is(types.length, 12);
			for (const {id, name, family, legs, path: steps} of types) {
				for (const [index, leg] of legs.entries()) {
					const about = `type ${id} ${name}, ${family}, leg ${index + 1} of ${legs.length}, ${String(leg['actor'])} > ${String(leg['end'])}`;
					const own = lines.filter(({comment}) => comment.startsWith(about));
					const firsts = own.filter(({comment}) => comment.startsWith(`${about}: `));
					t.is(firsts.length, 1, `${about}: one packet tells the rules`);
					t.true(firsts[0]!.isFirst, about);
					t.true(own.some(({comment}) => comment === `${about}, answer`), `${about}: an answer`);
					const told = firsts[0]!.comment.slice(about.length + 2).split(String.raw`\n`)[0]!.split(' > ').filter(step => step !== 'no chain was consulted');
					t.true(told.every(step => steps.includes(step)), `${told.join(' ')} in ${steps.join(' ')}`);
				}
			}

			const places = new Set(lines.map(({where}) => where));
			t.deepEqual([...places].toSorted(), ['pod:eth0', 'pod:lo', 'remote:eth0']);
			t.deepEqual(lines.filter(({comment, isFirst}) => isFirst && comment === ''), [], 'each SYN belongs to a leg');
		});
	});
}

test('probe --pcap', async t => {
	if (isLeftOut(t, {program: 'tshark'})) {
		return;
	}

	await inFolder(async folder => {
		const file = path.join(folder, 'probe.pcapng');
		const {exitCode, stderr} = await testbed(['probe', '--to', 'remote:8080', '--pcap', file]);
		t.is(exitCode, 0, stderr);
		const lines = await linesOf(file);
		const comments = lines.map(({comment}) => comment);
		t.is(comments.filter(comment => /^probe app to remote:8080, leg \d of 2, \S+ > \S+: /u.test(comment)).length, 2);
	});
});

test('probe --pcap of a connection without an answer: what the testbed sends to see that nothing is left to do is not in it', async t => {
	if (isLeftOut(t, {program: 'tshark'})) {
		return;
	}

	await inFolder(async folder => {
		const [file, rules] = [path.join(folder, 'probe.pcapng'), path.join(folder, 'drop.rules')];
		await writeFile(rules, '*filter\n-A INPUT -p tcp --dport 8080 -j DROP\nCOMMIT\n');
		const {exitCode, stderr} = await testbed(['probe', '--rules', rules, '--from', 'remote', '--to', 'pod:8080', '--pcap', file]);
		t.is(exitCode, 0, stderr);
		const lines = await linesOf(file);
		// The kernel may ask for neighbors meanwhile, by ARP and IPv6.
		const packets = lines.filter(({addresses}) => addresses.includes('.')).map(({where, comment}) => `${where} ${comment}`);
		t.true(packets.length >= 2, packets.join('\n'));
		t.true(packets.every(packet => /^(?:remote|pod):eth0 probe remote to pod:8080, leg 1 of 1, remote > dropped by filter:INPUT#1/u.test(packet)), packets.join('\n'));
	});
});

for (const [title, given, message] of [
	['several runs', ['--backend', 'all'], /--pcap works with a single run/u],
	['a probe that is one packet', ['probe', '--to', 'remote:8080', '--mark', '5'], /--pcap captures connections.*\n→ Omit --pcap, or --mark/u],
	['a probe of a batch', ['probe', '--batch', '-'], /--pcap/u],
] as const) {
	test(`refused: ${title}; nothing is written`, async t => {
		await inFolder(async folder => {
			const file = path.join(folder, 'x.pcapng');
			const {exitCode, stderr} = await testbed([...given, '--pcap', file], {input: ''});
			t.is(exitCode, 2, stderr);
			t.regex(stderr, message);
			t.false(existsSync(file));
		});
	});
}

test('refused before the run: a file in a missing folder, and one file for two outputs', async t => {
	await inFolder(async folder => {
		const missing = path.join(folder, 'missing', 'x.pcapng');
		const {exitCode, stderr} = await testbed(['--pcap', missing]);
		t.is(exitCode, 2);
		t.true(stderr.includes(`The capture cannot be written to ${missing}`), stderr);
		const file = path.join(folder, 'x');
		const twice = await testbed(['--output', file, '--pcap', file]);
		t.is(twice.exitCode, 2);
		t.regex(twice.stderr, /--pcap/u);
	});
});
