/**
The command line of `testbed mutate`.
*/

import {Command, Option} from 'commander';
import {
	defaultJobs, formats, readBackends, readFamilies, readFormat, readId, readList, readNumber,
} from '../parsers.js';
import type {MutateFlags} from '../commands/mutate.js';
import {
	bufferOption, modulesOption, outsideOption, serversOption, timeoutOption,
} from './shared-options.js';

const examples = `
A mutant is the rule set with one fault: a rule deleted or swapped with the next
one, a condition negated, a user, port or address changed, a range widened or
narrowed, another target. Tests that miss a mutant would miss that fault. A
mutant that handles every packet class like the original (as in diff) is
equivalent and does not count.

Cases: types (the six types), scenarios (the shipped ones that were written for
the same rules), complete (one probe per packet class), or files and folders of
your own scenarios.

Examples:
  testbed mutate                                   the newest release
  testbed mutate 'release:1.30 --redirect-dns' --cases types
  testbed mutate my.rules --cases tests/mesh.yaml,complete
  testbed mutate release:1.30 --backend nftables --family both
  testbed mutate 'release:1.30 --redirect-dns' --sample 50
  testbed mutate --verbose                         also the probes to add
  testbed mutate --print 17 | testbed probe --rules - --to pod:15008 --from remote
  testbed mutate --format junit --output mutants.xml

Exit status: 0 some case kills every mutant that differs, 1 a mutant survived,
2 usage or input, 3 inconclusive, 4 this machine cannot do it.`;

/** `testbed mutate [INPUT]`. */
export function mutateCommandLine(setStatus: (status: number) => void): Command {
	return new Command('mutate')
		.description('put faults into the rules, one at a time, and show which ones the tests notice')
		.argument('[input]', 'release:VERSION [arguments], pod:FILE, a dump\'s file, or - (default: the newest release)')
		.option('--cases <list>', 'types, scenarios, complete, scenario files, or several of them', readList, ['types', 'scenarios', 'complete'])
		.option('--rules6 <file>', 'the IPv6 dump that belongs to the input')
		.option('--backend <name>', 'iptables-nft, iptables-legacy or nftables (default: the input\'s; iptables-nft)', readBackends)
		.addOption(new Option('--family <name>', 'whose rules to change: ipv4, ipv6 or both').argParser(readFamilies).default(['ipv4'], 'ipv4'))
		.addOption(serversOption())
		.addOption(modulesOption())
		.addOption(outsideOption())
		.option('--proxy-uid <n>', 'user of the proxy (default: as in run)', readId)
		.option('--proxy-gid <n>', 'group of the proxy (default: same number as its user)', readId)
		.option('--sample <n>', 'try only this many, spread evenly over the rules', text => readNumber(text, {min: 1, max: 1_000_000}))
		.option('--print <n>', 'print the rules of one mutant and stop', text => readNumber(text, {min: 1, max: 1_000_000}))
		.addOption(new Option('--format <name>', `what to print on stdout: ${formats.join(', ')}`).argParser(readFormat).default('text'))
		.option('--output <file>', 'write the report there instead of stdout')
		.option('--verbose', 'also print the command that shows each difference, and the mutants that do not count')
		.option('--jobs <n>', 'how many rule sets run at once', text => readNumber(text, {min: 1, max: 64}), defaultJobs)
		.addOption(timeoutOption())
		.addOption(bufferOption())
		.addHelpText('after', examples)
		.action(async (input: string | undefined, flags: MutateFlags) => {
			const {mutateCommand} = await import('../commands/mutate.js');
			setStatus(await mutateCommand(input, flags));
		});
}
