/**
The command line of `testbed mutate`.
*/

import {Command, Option} from 'commander';
import {
	defaultJobs, formats, readBackends, readFamilies, readId, readList, readNumber,
} from '../parsers.js';
import type {MutateFlags} from '../commands/mutate.js';
import {helpText} from '../output/help-text.js';
import {mutationFaults, mutationKinds} from '../../../src/mutation/kinds.js';
import {jsonOption} from '../output/json-keys.js';
import {addShardOptions} from './shard-options.js';
import {
	backendHelp, bufferOption, checkOption, colorOption, contextOption, debugImageOption, formatOption, kubeconfigOption, limitOption, modulesOption, outputOption, outsideOption,
	proxyGroupOption, quietOption, serversOption, timeoutOption,
} from './shared-options.js';

const examples = `
A mutant is the rule set with one fault. Tests that miss a mutant would miss
that fault. A mutant that handles every packet class like the original (as in
diff) is equivalent and does not count. The kinds of faults:

${mutationKinds.map(kind => `  ${kind.padEnd(9)}${mutationFaults[kind]}`).join('\n')}

Cases: types (the six types), scenarios (the shipped ones that were written for
the same rules), complete (one probe per packet class), or files and folders of
your own scenarios.

Examples:
  testbed mutate                                   the newest release
  testbed mutate 'release:1.30 --redirect-dns' --cases types
  testbed mutate my.rules --cases tests/mesh.yaml,complete
  testbed mutate release:1.30 --backend nftables --family both
  testbed mutate 'release:1.30 --redirect-dns' --sample 50
  testbed mutate --verbose                         the probes to add, too
  testbed mutate --print 17 | testbed probe --rules - --to pod:15008 --from remote
  testbed mutate --format junit --output mutants.xml

Exit status: 0 every mutant that differs was killed, 1 a mutant survived,
2 usage or input, 3 inconclusive, 4 this machine cannot do it.`;

/** `testbed mutate [INPUT]`. */
export function mutateCommandLine(setStatus: (status: number) => void): Command {
	return addShardOptions(new Command('mutate')
		.description('put one fault at a time into the rules, and show which faults the tests notice')
		.argument('[input]', 'release:VERSION [arguments], pod:FILE, a dump\'s file, -, or a live pod (netns:NAME, pid:PID, container:ID, kubectl:NAMESPACE/POD) (default: the newest release)')
		.option('--cases <list>', 'types, scenarios, complete, scenario files, or several of these', readList, ['types', 'scenarios', 'complete'])
		.option('--rules6 <file>', 'the IPv6 dump that goes with the input')
		.option('--backend <name>', backendHelp.one, readBackends)
		.addOption(new Option('--family <name>', 'rules to change: ipv4, ipv6 or both').argParser(readFamilies).default(['ipv4'], 'ipv4'))
		.addOption(serversOption())
		.addOption(kubeconfigOption())
		.addOption(contextOption())
		.addOption(debugImageOption())
		.addOption(modulesOption())
		.addOption(outsideOption())
		.option('--proxy-uid <n>', 'user of the proxy (default: as in run)', readId)
		.addOption(proxyGroupOption())
		.option('--sample <n>', 'try only this many mutants, spread evenly over the rules', text => readNumber(text, {min: 1, max: 1_000_000}))
		.option('--print <n>', 'print the rules of one mutant and stop', text => readNumber(text, {min: 1, max: 1_000_000}))
		.addOption(formatOption(formats))
		.addOption(outputOption(formats))
		.addOption(jsonOption('mutation'))
		.addOption(checkOption())
		.addOption(quietOption())
		.addOption(colorOption())
		.option('--verbose', 'also print the command that shows each difference, and the mutants that do not count')
		.option('--jobs <n>', 'number of rule sets to run at once', text => readNumber(text, {min: 1, max: 64}), defaultJobs), 'mutants')
		.addOption(limitOption())
		.addOption(timeoutOption())
		.addOption(bufferOption())
		.addHelpText('after', helpText(examples))
		.action(async (input: string | undefined, flags: MutateFlags) => {
			const {mutateCommand} = await import('../commands/mutate.js');
			setStatus(await mutateCommand(input, flags));
		});
}
