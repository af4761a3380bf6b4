/**
The driver of nftables: native nft tables, with all families in one text and one transaction.
*/

import {factsOf} from '../../../src/netfilter/backends.js';
import {restrictToFamilies} from '../../../src/netfilter/lookup.js';
import {printNft} from '../../../src/netfilter/nftables/ruleset.js';
import type {RulesText} from '../../../src/netfilter/rule-texts.js';
import {
	nativeSamples, nativeSamplesNamedIn, nativeSampleTable, nativeSampleText, type NativeSample,
} from '../kernel-samples.js';
import type {Netns} from '../netns.js';
import {rejectionOf} from '../rejection.js';
import type {BackendDriver, BackendSample} from './driver.js';
import {
	deletionsOf, loadDumpedRules, loadListedTexts, loadNftText, nftTrace, removeNftTables,
} from './nft-tool.js';

function asBackendSample(sample: NativeSample): BackendSample {
	const {what, kind, use, module} = sample;
	return {
		what, kind, use, module, text: nativeSampleText(sample), needs: module,
	};
}

async function readBack(netns: Netns): Promise<readonly RulesText[]> {
	return [{family: null, text: await netns.runConfined('nft', ['-s', 'list', 'ruleset'])}];
}

/** The driver. */
export const nftables: BackendDriver = {
	...factsOf('nftables'),
	name: 'nftables',
	programFor: () => 'nft',
	load: async (netns, {text}) => loadNftText(netns, text),
	async install(netns, ruleSet, {families, held: installed}) {
		const own = printNft(restrictToFamilies(ruleSet, families));
		const input = deletionsOf(installed ?? {tables: []}) + own;
		try {
			await loadNftText(netns, input);
		} catch (error) {
			throw await rejectionOf(error, {
				driver: nftables, family: null, input, alone: own, program: 'nft -f', lineOf: () => undefined,
			});
		}

		return readBack(netns);
	},
	readBack,
	isAtomic: true,
	removeTables: removeNftTables,
	loadKernelTexts: loadListedTexts,
	loadRules: loadDumpedRules,
	// A sample text has one base chain, but the samples need several types.
	samples: () => ({each: nativeSamples.map(sample => asBackendSample(sample)), together: undefined}),
	samplesNamedIn: ({line, input}) => [...new Set([...nativeSamplesNamedIn(line, input), ...nativeSamplesNamedIn(input, input)])].map(sample => asBackendSample(sample)),
	traceSample: () => ({
		family: null, text: nativeSampleText({chain: 'type nat hook output priority -100', rule: 'meta l4proto tcp counter redirect to :9'}), table: nativeSampleTable, chain: 'sample', ...nftTrace,
	}),
};
