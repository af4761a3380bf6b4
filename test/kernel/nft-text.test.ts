/** Native nft text against nft itself: what it takes, lists and refuses is what the parser, the printer and the generator say. */

import test from 'ava';
import {newestRelease} from '../../src/istio/releases.js';
import {refusalOf} from '../../src/istio/nftables/refusal.js';
import {sidecarNftRuleSet} from '../../src/istio/nftables/sidecar.js';
import {parseNft, printNft} from '../../src/netfilter/nftables/ruleset.js';
import {parseNftJson} from '../../src/netfilter/nftables/json.js';
import type {RuleSet} from '../../src/netfilter/types.js';
import {CommandError} from '../../testbed/system/commands.js';
import {Netns} from '../../testbed/sandbox/netns.js';
import {readFixture} from '../helpers/fixtures.js';
import {
	goldenText, nativeInputOf, readGoldens, readNativeRuns,
} from '../helpers/istio-nft.js';
import {inOlderWords} from '../helpers/nft-wording.js';

type Listings = {readonly raw: string; readonly stateless: string; readonly counted: string; readonly handles: string; readonly numeric: string; readonly json: string};

/** Loads a script into the namespace, in the place of what is there, and lists it in nft's forms. What nft prints as people read it is put into the words of 1.0.6, the printer's own, whatever nft is there; `raw` is what it printed. */
async function load(netns: Netns, script: string): Promise<Listings> {
	await netns.run('nft', ['-f', '-'], {input: `flush ruleset\n${script}`});
	const list = async (...options: readonly string[]) => `${await netns.run('nft', [...options, 'list', 'ruleset'])}\n`;
	const raw = await list('-s');
	return {
		raw, stateless: inOlderWords(raw), counted: inOlderWords(await list()), handles: await list('-a'), numeric: await list('-n'), json: await list('-j'),
	};
}

const newest = newestRelease;

const generated = readNativeRuns().map((run): {readonly run: typeof run; readonly set: RuleSet} => {
	const {options, families} = nativeInputOf(run);
	return {run, set: sidecarNftRuleSet(newest, options, families)};
});

test('nft lists each golden as the parser prints it, in every form', async t => {
	await using netns = Netns.create('nft-text');
	for (const {file} of readGoldens('nftables')) {
		const script = goldenText(file);
		const set = parseNft(script);
		const listings = await load(netns, script); // eslint-disable-line no-await-in-loop -- One namespace for all.
		t.is(listings.stateless, printNft(set), file);
		t.is(listings.counted, printNft(set, {counters: true}), file);
		for (const text of [listings.raw, listings.stateless, listings.counted, listings.handles, listings.numeric]) {
			t.deepEqual(parseNft(text), set, file);
		}

		t.deepEqual(parseNftJson(listings.json), set, file);
	}
});

test('generated rules are what nft lists after loading them', async t => {
	await using netns = Netns.create('nft-text');
	for (const {run, set} of generated.filter(({set}) => refusalOf(set) === undefined)) {
		const {stateless, json} = await load(netns, printNft(set)); // eslint-disable-line no-await-in-loop -- One namespace for all.
		t.is(stateless, printNft(set), run.argv.join(' '));
		t.deepEqual(parseNftJson(json), set);
	}
});

test('rules that are not Istio\'s come back as they were listed', async t => {
	await using netns = Netns.create('nft-text');
	const objects = readFixture('nft', 'objects.txt').split('#### nft -s list ruleset\n')[1]!.replace(/#### nft [^]*$/u, '');
	for (const script of [objects, readFixture('nft', 'measured.txt').replaceAll(/(?<=^table (?:ip|inet) t \{\n)/gmu, '\tset s {\n\t\ttype ipv4_addr\n\t}\n\n')]) {
		const first = await load(netns, script); // eslint-disable-line no-await-in-loop -- One namespace for all.
		t.is(printNft(parseNft(first.raw)), first.stateless);
		t.is(printNft(parseNft(first.handles)), first.stateless);
		const again = await load(netns, printNft(parseNft(first.counted))); // eslint-disable-line no-await-in-loop -- One namespace for all.
		t.is(again.stateless, first.stateless);
	}
});

test('what the parser calls refused by nft is refused by nft', async t => {
	await using netns = Netns.create('nft-text');
	const {options} = nativeInputOf(readNativeRuns()[0]!);
	const refused = [
		...generated.map(({set}) => set),
		sidecarNftRuleSet(newest, {...options, redirectDns: true, dnsServersV4: [], dnsServersV6: ['fd00::10']}, ['ipv4']),
		sidecarNftRuleSet(newest, {...options, excludeInterfaces: ['eth+']}, ['ipv4']),
	].flatMap(set => {
		const reason = refusalOf(set);
		// The reason quotes what nft says.
		return reason === undefined ? [] : [{set, words: /\("(?<words>[^"]+)"\)$/u.exec(reason)!.groups!['words']!}];
	});
	t.deepEqual([...new Set(refused.map(({words}) => words))].toSorted(), ['Could not resolve service', 'No such file or directory', 'syntax error'], 'every kind of refusal is tried');
	for (const {set, words} of refused) {
		const error = await t.throwsAsync(load(netns, printNft(set)), {instanceOf: CommandError}); // eslint-disable-line no-await-in-loop -- One namespace for all.
		t.true(error.stderr.includes(words), error.stderr);
	}
});

test('tables written by iptables-nft are refused, with the advice to use iptables-save', async t => {
	await using netns = Netns.create('nft-text');
	await netns.run('iptables-nft', ['-t', 'raw', '-A', 'OUTPUT', '-j', 'CT', '--zone', '1']);
	const text = await netns.run('nft', ['list', 'ruleset']);
	t.throws(() => parseNft(text), {message: /iptables-save/});
	t.throws(() => parseNft(text.replaceAll(/^#.*$/gmu, '')), {message: /(?:iptables-nft wrote|written by iptables-nft).*iptables-save/});
});
