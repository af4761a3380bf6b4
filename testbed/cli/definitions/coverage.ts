/**
The command line of `testbed coverage`.
*/

import {Command, Option} from 'commander';
import {
	defaultJobs, formats, readBackends, readFamilies, readId, readList, readNumber,
} from '../parsers.js';
import type {CoverageFlags} from '../commands/coverage.js';
import {helpText} from '../output/help-text.js';
import {jsonOption} from '../output/json-keys.js';
import {
	backendHelp, bufferOption, checkOption, colorOption, contextOption, debugImageOption, formatOption, kubeconfigOption, limitOption, modulesOption, outputOption, outsideOption,
	proxyGroupOption, quietOption, serversOption, timeoutOption,
} from './shared-options.js';

const examples = `
For each rule, the report shows how many packets matched it and for how many it
decided. It counts the six types, the shipped scenarios that were written for
the same rules, and one probe per packet class (as in diff). A rule that no
class reaches cannot matter in this topology; the report names the rules that
shadow it, or the condition that no packet meets.

Examples:
  testbed coverage                                 the newest release
  testbed coverage 'release:1.30 --redirect-dns' --verbose
  testbed coverage my.rules --cases tests/ --require tests/
  testbed coverage release:1.30 --require complete     no dead rules
  testbed coverage --format markdown

Exit status: 0 done, 1 the cases in --require miss a rule, 2 usage or input,
3 inconclusive, 4 this machine cannot do it.`;

/** `testbed coverage [INPUT]`. */
export function coverageCommandLine(setStatus: (status: number) => void): Command {
	return new Command('coverage')
		.description('show which rules the tests reach, and which no packet can reach')
		.argument('[input]', 'release:VERSION [arguments], pod:FILE, a dump\'s file, -, or a live pod (netns:NAME, pid:PID, container:ID, kubectl:NAMESPACE/POD) (default: the newest release)')
		.option('--cases <list>', 'types, scenarios, scenario files, or several of these; one probe per packet class is always sent', readList, ['types', 'scenarios'])
		.option('--require <list>', 'cases that must reach every reachable rule; with complete, every rule must be reachable', readList, [])
		.option('--rules6 <file>', 'the IPv6 dump that goes with the input')
		.option('--backend <name>', backendHelp.one, readBackends)
		.addOption(new Option('--family <name>', 'rules to count: ipv4, ipv6 or both').argParser(readFamilies).default(['ipv4'], 'ipv4'))
		.addOption(serversOption())
		.addOption(kubeconfigOption())
		.addOption(contextOption())
		.addOption(debugImageOption())
		.addOption(modulesOption())
		.addOption(outsideOption())
		.option('--proxy-uid <n>', 'user of the proxy (default: as in run)', readId)
		.addOption(proxyGroupOption())
		.addOption(formatOption(formats))
		.addOption(outputOption(formats))
		.addOption(jsonOption('coverage'))
		.addOption(checkOption())
		.addOption(quietOption())
		.addOption(colorOption())
		.option('--verbose', 'also print the text of each rule')
		.option('--jobs <n>', 'number of rule sets to run at once', text => readNumber(text, {min: 1, max: 64}), defaultJobs)
		.addOption(limitOption())
		.addOption(timeoutOption())
		.addOption(bufferOption())
		.addHelpText('after', helpText(examples))
		.action(async (input: string | undefined, flags: CoverageFlags) => {
			const {coverageCommand} = await import('../commands/coverage.js');
			setStatus(await coverageCommand(input, flags));
		});
}
