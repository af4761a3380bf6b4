/**
The smallest rules that need one thing of the kernel each, installed by the tools of each back end.
*/

import {iptablesBackends, type AddressFamily, type IptablesBackend} from '../../src/netfilter/types.js';
import {addressFamilies} from '../../src/scenario/topology.js';
import {
	allSamplesText, iptablesSamples, iptablesSampleText, mendOf, moduleOf, nativeSamples, nativeSampleText,
} from '../sandbox/kernel-samples.js';
import {Netns} from '../sandbox/netns.js';
import {restoreRules} from '../sandbox/tools.js';
import type {Check} from './check.js';

async function load(text: string, {backend, family, lockFile}: {readonly backend: IptablesBackend; readonly family: AddressFamily; readonly lockFile: string}): Promise<void> {
	await using netns = Netns.create('doctor', ['lo']);
	await restoreRules(netns, {
		backend, family, text, lockFile,
	});
}

/** Where all of them load at once, none has to be tried alone: a program for each takes a slow machine a minute. */
function checksOf(backend: IptablesBackend, family: AddressFamily, lockFile: string): readonly Check[] {
	let isAll: Promise<boolean> | undefined;
	const loadAll = async (): Promise<boolean> => {
		try {
			await load(allSamplesText(), {backend, family, lockFile});
			return true;
		} catch {
			return false; // Then each is tried, and says itself what it lacks.
		}
	};

	return iptablesSamples.map(sample => {
		const module = moduleOf(sample, backend, family);
		return {
			what: `${backend}, ${family}: ${sample.what}`,
			group: `${backend}, ${family}`,
			backend,
			use: sample.use,
			needs: backend === 'iptables-legacy' ? module : `${module} (and nft_compat)`,
			mend: mendOf(module),
			async act() {
				isAll ??= loadAll();
				if (!await isAll) {
					await load(iptablesSampleText(sample), {backend, family, lockFile});
				}
			},
		};
	});
}

/** Tables, matches and targets of both back ends of iptables, in both families. */
export function iptablesChecks(lockFile: string): readonly Check[] {
	return iptablesBackends.flatMap(backend => addressFamilies.flatMap(family => checksOf(backend, family, lockFile)));
}

/** The same as native nft rules. */
export function nativeChecks(): readonly Check[] {
	return nativeSamples.map(({what, chain, rule, module, use}) => ({
		what: `nftables: ${what}`,
		group: 'nftables',
		backend: 'nftables',
		use,
		needs: module,
		mend: mendOf(module),
		async act() {
			await using netns = Netns.create('doctor', ['lo']);
			await netns.runConfined('nft', ['-f', '-'], {input: nativeSampleText({chain, rule})});
		},
	}));
}
