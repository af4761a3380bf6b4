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
A mutant is the rule set with one fault: a rule deleted or behind the next one,
a condition negated, a user, port or address changed, a range wider or narrower,
another target. Tests that do not notice it would not notice that fault either.
Mutants that no traffic can tell from the original are proven equivalent by all
classes of packets (as in diff), and not counted.

Cases: types (the six types), scenarios (the shipped ones that are written for
the same rules), complete (a probe for every class of packets), or files and
folders of your own scenarios.

Examples:
  testbed mutate                                   the newest release
  testbed mutate 'release:1.30 --redirect-dns' --cases types
  testbed mutate my.rules --cases tests/mesh.yaml,complete
  testbed mutate release:1.30 --backend nftables --family both
  testbed mutate 'release:1.30 --redirect-dns' --sample 50
  testbed mutate --verbose                         with the probes to add
  testbed mutate --print 17 | testbed probe --rules - --to pod:15008 --from remote
  testbed mutate --format junit --output mutants.xml

Exit status: 0 every mutant that differs is noticed by some case, 1 one is not,
2 usage or input, 3 inconclusive, 4 this machine cannot do it.`;

/** `testbed mutate [INPUT]`. */
export function mutateCommandLine(setStatus: (status: number) => void): Command {
	return new Command('mutate')
		.description('put faults into the rules, one at a time, and tell which of them the tests notice')
		.argument('[input]', 'release:VERSION [arguments], pod:FILE, a dump\'s file, or - (default: the newest release)')
		.option('--cases <list>', 'types, scenarios, complete, scenario files, several', readList, ['types', 'scenarios', 'complete'])
		.option('--rules6 <file>', 'the IPv6 dump that belongs to the input')
		.option('--backend <name>', 'iptables-nft, iptables-legacy or nftables (default: the input\'s; iptables-nft)', readBackends)
		.addOption(new Option('--family <name>', 'whose rules are changed: ipv4, ipv6 or both').argParser(readFamilies).default(['ipv4'], 'ipv4'))
		.addOption(serversOption())
		.addOption(modulesOption())
		.addOption(outsideOption())
		.option('--proxy-uid <n>', 'user of the proxy (default: as in run)', readId)
		.option('--proxy-gid <n>', 'group of the proxy (default: the number of its user)', readId)
		.option('--sample <n>', 'try only so many, evenly spread over the rules', text => readNumber(text, {min: 1, max: 1_000_000}))
		.option('--print <n>', 'print the rules of one mutant, and try none', text => readNumber(text, {min: 1, max: 1_000_000}))
		.addOption(new Option('--format <name>', `what to print on stdout: ${formats.join(', ')}`).argParser(readFormat).default('text'))
		.option('--output <file>', 'write the report there instead of stdout')
		.option('--verbose', 'with the commands that show each difference, and the mutants that are not counted')
		.option('--jobs <n>', 'how many rule sets are tried at once', text => readNumber(text, {min: 1, max: 64}), defaultJobs)
		.addOption(timeoutOption())
		.addOption(bufferOption())
		.addHelpText('after', examples)
		.action(async (input: string | undefined, flags: MutateFlags) => {
			const {mutateCommand} = await import('../commands/mutate.js');
			setStatus(await mutateCommand(input, flags));
		});
}
