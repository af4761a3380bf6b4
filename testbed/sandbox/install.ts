/**
Installs a rule set in a namespace with the driver of its back end, and reads back what the kernel has.
*/

import {setImmediate as turn} from 'node:timers/promises';
import {languageOf} from '../../src/netfilter/backends.js';
import {restrictToFamilies} from '../../src/netfilter/lookup.js';
import {differencesInMeaning} from '../../src/netfilter/compare-rules.js';
import type {RulesText} from '../../src/netfilter/rule-texts.js';
import type {Backend, RuleSet} from '../../src/netfilter/types.js';
import {TestbedError} from '../errors.js';
import {refuseMissingOwners} from '../rootless/mapped-ids.js';
import type {InstallRequest} from './backends/driver.js';
import {driverOf} from './backends/drivers.js';
import {parseInstalled} from './rules-text.js';
import type {Netns} from './netns.js';
import {refuseUnchecked} from './rule-check.js';

/** How and with which back end rules are installed. */
export type Installation = InstallRequest & {
	readonly backend: Backend;
	/** Unknown matches and targets that were allowed. */
	readonly allowedModules?: readonly string[] | undefined;
	/** Called when the kernel has the rules and the tools have shown them, before they are compared with what was asked for: until then something else can be read. */
	readonly onLoaded?: (() => void) | undefined;
};

/** The rules that the kernel has after an installation, and the output of the tools that show them. */
export type InstalledRules = {readonly ruleSet: RuleSet; readonly texts: readonly RulesText[]};

/**
Installs the rules of the given families and returns what the kernel then has: numbers, texts and roles are taken from there.

@throws {TestbedError} RULES_REJECTED with the line and the tool's reason; UNMAPPED if rules of iptables name users that do not exist in this user namespace. Nothing of the set is then loaded, in either family.
*/
export async function installRules(netns: Netns, request: Installation & {readonly ruleSet: RuleSet}): Promise<RuleSet> {
	const installed = await installAndReadBack(netns, request);
	return installed.ruleSet;
}

/**
The same, with the output of the tools, for a recording.

@throws {TestbedError} as {@link installRules}.
*/
export async function installAndReadBack(netns: Netns, {ruleSet, onLoaded, ...installation}: Installation & {readonly ruleSet: RuleSet}): Promise<InstalledRules> {
	refuseUnchecked({ruleSet, ...installation});
	if (languageOf(installation.backend) === 'iptables') {
		refuseMissingOwners(ruleSet);
	}

	const texts = await driverOf(installation.backend).install(netns, ruleSet, installation);
	if (onLoaded !== undefined) {
		onLoaded();
		await turn(); // So that what was begun there is on its way before this thread is busy.
	}

	const installed = parseInstalled(texts);
	const differences = differencesInMeaning(restrictToFamilies(ruleSet, installation.families), installed);
	if (differences.length > 0) {
		// If the tool accepted a rule that the kernel does not have, every result would be about a different rule set.
		throw new TestbedError('RULES_REJECTED', {
			message: `The rules in the kernel differ from those that were installed.\n${differences.join('\n')}`,
			state: 'No traffic was sent.',
		});
	}

	return {ruleSet: installed, texts};
}
