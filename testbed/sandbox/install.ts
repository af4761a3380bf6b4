/**
Puts a rule set into a namespace by the driver of its back end, and reads back what the kernel holds.
*/

import {restrictToFamilies} from '../../src/netfilter/lookup.js';
import {differencesInMeaning} from '../../src/netfilter/compare-rules.js';
import type {RulesText} from '../../src/netfilter/rule-texts.js';
import type {Backend, RuleSet} from '../../src/netfilter/types.js';
import {TestbedError} from '../errors.js';
import type {InstallRequest} from './backends/driver.js';
import {driverOf} from './backends/drivers.js';
import {parseInstalled} from './rules-text.js';
import type {Netns} from './netns.js';
import {refuseUnchecked} from './rule-check.js';

/** Where, how and by which back end rules are put. */
export type Installation = InstallRequest & {
	readonly backend: Backend;
	/** Matches and targets that are not known here and were allowed all the same. */
	readonly allowedModules?: readonly string[] | undefined;
};

/** What the kernel holds after an installation, and the words of the tools that say so. */
export type InstalledRules = {readonly ruleSet: RuleSet; readonly texts: readonly RulesText[]};

/**
Installs the rules of the given families and returns what the kernel then holds: numbers, texts and roles are taken from there.

@throws {TestbedError} RULES_REJECTED with the line and the tool's reason. Nothing of the set is loaded then, of no family.
*/
export async function installRules(netns: Netns, request: Installation & {readonly ruleSet: RuleSet}): Promise<RuleSet> {
	const installed = await installAndReadBack(netns, request);
	return installed.ruleSet;
}

/**
The same, with the words of the tools: for a recording.

@throws {TestbedError} as {@link installRules}.
*/
export async function installAndReadBack(netns: Netns, {ruleSet, ...installation}: Installation & {readonly ruleSet: RuleSet}): Promise<InstalledRules> {
	refuseUnchecked({ruleSet, ...installation});
	const texts = await driverOf(installation.backend).install(netns, ruleSet, installation);
	const installed = parseInstalled(texts);
	const differences = differencesInMeaning(restrictToFamilies(ruleSet, installation.families), installed);
	if (differences.length > 0) {
		// A rule that the tool took and the kernel does not hold would make every result one of another rule set.
		throw new TestbedError('RULES_REJECTED', {
			message: `The kernel does not hold what was installed.\n${differences.join('\n')}`,
			state: 'No traffic was sent.',
		});
	}

	return {ruleSet: installed, texts};
}
