/**
The smallest rules that need one thing of the kernel each, installed by the tools of each back end.
*/

import {textFamilies, type TextFamily} from '../../src/netfilter/rule-texts.js';
import {addressFamilies} from '../../src/scenario/topology.js';
import type {BackendDriver} from '../sandbox/backends/driver.js';
import {drivers} from '../sandbox/backends/drivers.js';
import {fixOf} from '../sandbox/kernel-samples.js';
import {Netns} from '../sandbox/netns.js';
import type {Check} from './check.js';

/** Where all samples load at once, none has to be tried alone: a program for each takes a slow machine a minute. */
function checksOf(driver: BackendDriver, family: TextFamily, lockFile: string): readonly Check[] {
	const load = async (text: string): Promise<void> => {
		await using netns = Netns.create('doctor', ['lo']);
		await driver.load(netns, {family, text, lockFile});
	};

	const {each, together} = driver.samples(family);
	let isAll: Promise<boolean> | undefined;
	const loadAll = async (): Promise<boolean> => {
		if (together === undefined) {
			return false;
		}

		try {
			await load(together);
			return true;
		} catch {
			return false; // Then each is tried, and says itself what it lacks.
		}
	};

	const group = [driver.name, ...(family === null ? [] : [family])].join(', ');
	return each.map(({what, use, needs, module, text}) => ({
		what: `${group}: ${what}`,
		group,
		backend: driver.name,
		use,
		needs,
		fix: fixOf(module),
		async act() {
			isAll ??= loadAll();
			if (!await isAll) {
				await load(text);
			}
		},
	}));
}

/** Tables, matches and targets of every back end, in every family that its texts hold. */
export function ruleChecks(lockFile: string): readonly Check[] {
	return drivers.flatMap(driver => textFamilies(driver.language, addressFamilies).flatMap(family => checksOf(driver, family, lockFile)));
}
