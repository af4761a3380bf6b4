/**
Checks with minimal rules, each of which needs one kernel feature, installed by the tools of each back end.
*/

import {textFamilies, type TextFamily} from '../../src/netfilter/rule-texts.js';
import {addressFamilies} from '../../src/mesh/topology.js';
import type {BackendDriver} from '../sandbox/backends/driver.js';
import {drivers} from '../sandbox/backends/drivers.js';
import {fixOf} from '../sandbox/kernel-samples.js';
import {Netns} from '../sandbox/netns.js';
import type {Check} from './check.js';

/** If all samples load together, none has to be tried alone: one process for each would take a minute on a slow machine. */
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
			return false; // Then each sample is tried alone and reports what it lacks.
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

/** Checks of tables, matches and targets, for every back end and family. */
export function ruleChecks(lockFile: string): readonly Check[] {
	return drivers.flatMap(driver => textFamilies(driver.language, addressFamilies).flatMap(family => checksOf(driver, family, lockFile)));
}
