/**
What the two iptables back ends share: their programs read the same language, one family at a time, and differ in where the kernel keeps the rules.
*/

import {factsOf, iptablesProgram, type IptablesVariant} from '../../../src/netfilter/backends.js';
import {printSave, ruleOfLine} from '../../../src/netfilter/iptables/save.js';
import type {RulesText, TextFamily} from '../../../src/netfilter/rule-texts.js';
import type {
	AddressFamily, Backend, RuleSet, Table,
} from '../../../src/netfilter/types.js';
import {TestbedError} from '../../errors.js';
import {
	allSamplesText, iptablesSamples, iptablesSampleText, samplesNamedIn, type IptablesSample,
} from '../kernel-samples.js';
import type {Netns} from '../netns.js';
import {rejectionOf} from '../rejection.js';
import type {
	BackendDriver, BackendSample, InstallRequest, TraceSample,
} from './driver.js';

/** What differs between the two. */
export type IptablesDifferences = Pick<BackendDriver, 'removeTables' | 'loadKernelTexts' | 'loadRules'> & {
	readonly name: Backend;
	readonly variant: IptablesVariant;
	/** Options of the restore program. */
	readonly restoreArguments: readonly string[];
	/** The kernel module of a sample, and what the kernel must have for it. */
	readonly moduleOf: (sample: IptablesSample, family: AddressFamily) => string;
	readonly needsOf: (kernelModule: string) => string;
	readonly trace: Pick<TraceSample, 'needs' | 'module'>;
};

/** The driver of one of the two. */
export function iptablesDriver(differences: IptablesDifferences): BackendDriver {
	const {
		name, variant, restoreArguments, moduleOf, needsOf, trace, removeTables, loadKernelTexts, loadRules,
	} = differences;
	const asBackendSample = (sample: IptablesSample, family: AddressFamily): BackendSample => {
		const kernelModule = moduleOf(sample, family);
		return {
			what: sample.what, kind: sample.kind, use: sample.use, text: iptablesSampleText(sample), module: kernelModule, needs: needsOf(kernelModule),
		};
	};

	const driver: BackendDriver = {
		...factsOf(name),
		name,
		programFor: family => iptablesProgram(variant, oneFamily(family), 'restore'),
		async load(netns, {family, text, lockFile}) {
			await netns.runConfined(driver.programFor(family), restoreArguments, {input: text, environment: {XTABLES_LOCKFILE: lockFile}});
		},
		install: async (netns, ruleSet, request) => installSet(netns, ruleSet, {...request, driver, variant}),
		readBack: async (netns, {families, lockFile}) => Promise.all(families.map(async family => ({family, text: await saveRules(netns, {variant, family, lockFile})}))),
		isAtomic: false,
		removeTables,
		loadKernelTexts,
		loadRules,
		samples: family => ({
			each: iptablesSamples.map(sample => asBackendSample(sample, oneFamily(family))),
			together: allSamplesText(),
		}),
		samplesNamedIn({family, line, input}) {
			const tables = input.split('\n').filter(text => text.startsWith('*')).map(text => text.slice(1).trim());
			return [...new Set([...samplesNamedIn(line, tables), ...samplesNamedIn(input, tables)])].map(sample => asBackendSample(sample, oneFamily(family)));
		},
		// Without a rule that needs conntrack, packets do not reach nat at all (measured), so this is a REDIRECT.
		traceSample: family => ({
			family, text: '*nat\n-A OUTPUT -p tcp -j REDIRECT --to-ports 9\nCOMMIT\n', table: 'nat', chain: 'OUTPUT', ...trace,
		}),
	};
	return driver;
}

/** Checks that there is one family: each iptables program handles one. */
function oneFamily(family: TextFamily): AddressFamily {
	if (family === null) {
		throw new RangeError('an iptables text has the rules of one family');
	}

	return family;
}

/** What `iptables-save` prints of a family. */
export async function saveRules(netns: Netns, {variant, family, lockFile, hasCounters = false}: {
	readonly variant: IptablesVariant; readonly family: AddressFamily; readonly lockFile: string; readonly hasCounters?: boolean;
}): Promise<string> {
	return netns.runConfined(iptablesProgram(variant, family, 'save'), hasCounters ? ['-c'] : [], {environment: {XTABLES_LOCKFILE: lockFile}});
}

type IptablesInstallation = InstallRequest & {readonly driver: BackendDriver; readonly variant: IptablesVariant};

/** Installs a set. The tool commits a family table by table (measured), so if something is rejected, all tables of all families are emptied again. */
async function installSet(netns: Netns, ruleSet: RuleSet, {driver, variant, families, lockFile, held: installed, unchanged = [], lines}: IptablesInstallation): Promise<readonly RulesText[]> {
	const restore = async (family: AddressFamily, text: string): Promise<void> => driver.load(netns, {family, text, lockFile});
	const results = await Promise.allSettled(families.map(async (family): Promise<RulesText> => {
		if (unchanged.includes(family)) {
			return {family, text: await saveRules(netns, {variant, family, lockFile})};
		}

		const input = printSave({tables: [...ruleSet.tables, ...emptied(installed, ruleSet)]}, family);
		try {
			await restore(family, input);
		} catch (error) {
			throw await rejectionOf(error, {
				driver,
				family,
				input,
				program: driver.programFor(family),
				lineOf(line) {
					const rule = ruleOfLine(ruleSet, {family, line});
					return rule === undefined ? undefined : lines?.get(rule);
				},
			});
		}

		return {family, text: await saveRules(netns, {variant, family, lockFile})};
	}));
	const failures = results.flatMap(result => result.status === 'rejected' ? [result.reason as Error] : []);
	// If the machine is at fault, that is the cause, even if the other family's tool blames the rules.
	const failed = failures.find(error => !isRejection(error)) ?? failures[0];
	if (failed !== undefined) {
		const nothing: RuleSet = {tables: emptied({tables: [...ruleSet.tables, ...emptied(installed, ruleSet)]}, {tables: []})};
		const emptyings = await Promise.allSettled(families.map(async family => restore(family, printSave(nothing, family))));
		const left = emptyings.find(result => result.status === 'rejected');
		throw left === undefined || !isRejection(failed) ? failed : notTakenOut(failed, left.reason as Error);
	}

	return results.flatMap(result => result.status === 'fulfilled' ? [result.value] : []);
}

function isRejection(error: Error): error is TestbedError {
	return error instanceof TestbedError && error.code === 'RULES_REJECTED';
}

/** After a rejection the caller may continue with other rules, so it is a different error if some of these may still be installed. The message starts with the original error. */
function notTakenOut(rejected: TestbedError, cause: Error): TestbedError {
	return new TestbedError('MACHINE', {
		message: `${rejected.message}\nRules that were already loaded could not be removed again: ${cause.message}`,
		state: 'No traffic was sent. The sandbox cannot be used any more.',
		cause: rejected,
	});
}

/** The tables of a set without their rules, except those that another set has as well. */
function emptied(ruleSet: RuleSet | undefined, except: RuleSet): readonly Table[] {
	return (ruleSet?.tables ?? [])
		.filter(({family, name}) => except.tables.every(other => other.family !== family || other.name !== name))
		.map(table => ({...table, chains: []}));
}
