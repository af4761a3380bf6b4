/**
The command line of `testbed coverage`.
*/

import {Command, Option} from 'commander';
import {
	defaultJobs, formats, readBackends, readFamilies, readFormat, readId, readList, readNumber,
} from '../parsers.js';
import type {CoverageFlags} from '../commands/coverage.js';
import {
	bufferOption, modulesOption, outsideOption, serversOption, timeoutOption,
} from './shared-options.js';

const examples = `
For each rule: how many packets met it and how many it decided, counted for the
six types, for the shipped scenarios that were written for the same rules, and
for one probe per packet class (as in diff). A rule that no class reaches cannot
matter in this topology; the report names the rules that shadow it, or the
condition that no packet meets.

Examples:
  testbed coverage                                 the newest release
  testbed coverage 'release:1.30 --redirect-dns' --verbose
  testbed coverage my.rules --cases tests/ --require tests/
  testbed coverage release:1.30 --require complete     no dead rule
  testbed coverage --format markdown

Exit status: 0 done, 1 a case in --require misses a rule, 2 usage or input,
3 inconclusive, 4 this machine cannot do it.`;

/** `testbed coverage [INPUT]`. */
export function coverageCommandLine(setStatus: (status: number) => void): Command {
	return new Command('coverage')
		.description('show which rules the tests reach, and which no packet can reach')
		.argument('[input]', 'release:VERSION [arguments], pod:FILE, a dump\'s file, or - (default: the newest release)')
		.option('--cases <list>', 'types, scenarios, scenario files, or several of them; the probe for each packet class is always sent', readList, ['types', 'scenarios'])
		.option('--require <list>', 'cases that must reach every reachable rule; complete: every rule must be reachable', readList, [])
		.option('--rules6 <file>', 'the IPv6 dump that belongs to the input')
		.option('--backend <name>', 'iptables-nft, iptables-legacy or nftables (default: the input\'s; iptables-nft)', readBackends)
		.addOption(new Option('--family <name>', 'whose rules to count: ipv4, ipv6 or both').argParser(readFamilies).default(['ipv4'], 'ipv4'))
		.addOption(serversOption())
		.addOption(modulesOption())
		.addOption(outsideOption())
		.option('--proxy-uid <n>', 'user of the proxy (default: as in run)', readId)
		.option('--proxy-gid <n>', 'group of the proxy (default: same number as its user)', readId)
		.addOption(new Option('--format <name>', `what to print on stdout: ${formats.join(', ')}`).argParser(readFormat).default('text'))
		.option('--output <file>', 'write the report there instead of stdout')
		.option('--verbose', 'also print the text of each rule')
		.option('--jobs <n>', 'how many rule sets run at once', text => readNumber(text, {min: 1, max: 64}), defaultJobs)
		.addOption(timeoutOption())
		.addOption(bufferOption())
		.addHelpText('after', examples)
		.action(async (input: string | undefined, flags: CoverageFlags) => {
			const {coverageCommand} = await import('../commands/coverage.js');
			setStatus(await coverageCommand(input, flags));
		});
}
