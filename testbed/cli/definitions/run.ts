/**
The command line of `testbed run`.
*/

import {Command, Option} from 'commander';
import {
	defaultJobs, formats, readBackends, readFamilies, readFormat, readId, readNumber, readTypes,
} from '../parsers.js';
import type {RunFlags} from '../commands/run.js';
import {
	bufferOption, modulesOption, outsideOption, serversOption, timeoutOption,
} from './shared-options.js';

export const examples = `
Examples:
  testbed                                  the six types, newest release, IPv4
  testbed run --family both --backend iptables-legacy
  testbed run --types 1,4b --verbose       two types, every traversal
  testbed run --agent-uid 0                an agent with a user of its own
  testbed run --rules 'release:1.30 -u 2000' --proxy-uid 2000
  iptables-save | testbed run --rules -    the rules of your own pod
  testbed run --rules pod:pod.yaml         the rules that a manifest gets
  testbed run --rules 'release:1.30 --redirect-dns -m TPROXY'
  testbed run --backend all                the newest release, three back ends
  testbed run --rules release:all          every release, iptables-nft and legacy
  testbed run --rules release:1.99         not known yet: the newest rules
  testbed run --format json > report.json
  testbed run scenarios/                   all scenarios in a folder, every back end
  testbed run --record run.testbed         judge it again with testbed replay

Exit status: 0 all passed, 1 something failed, 2 usage or input, 3 inconclusive
(or a fault of the testbed), 4 this machine cannot do it (the message names the
command that fixes it), 130 interrupted.
In a checkout, the command is bin/testbed.`;

export function runCommandLine(setStatus: (status: number) => void): Command {
	return new Command('run')
		.description('send the six types of sidecar traffic and compare what the kernel did with what was expected')
		.argument('[scenario...]', 'scenario files (.yaml, .yml, .json), or folders of them, in place of the six types')
		.option('--rules <input>', 'release:VERSION [arguments of istio-iptables], release:latest, release:all, ambient:VERSION [options], pod:FILE, a dump\'s file, or - (default: the newest release)')
		.option('--rules6 <file>', 'the IPv6 dump that belongs to the one in --rules')
		.option('--backend <list>', 'iptables-nft, iptables-legacy, nftables, several, or all (default: the input\'s; iptables-nft)', readBackends)
		.addOption(new Option('--family <name>', 'ipv4, ipv6 or both').argParser(readFamilies).default(['ipv4'], 'ipv4'))
		.addOption(serversOption())
		.addOption(modulesOption())
		.addOption(outsideOption())
		.option('--cni', 'with pod:FILE: istio-cni writes the rules, whatever the manifest says')
		.option('--release <version>', 'with pod:FILE: the release, where no image tells it (default: the newest)')
		.option('--types <list>', '1 to 6, and 4b, app to its own pod\'s address (default: 1,2,3,4,5,6)', readTypes)
		.option('--proxy-uid <n>', 'user of the proxy stub (default: 1337; under TPROXY 0 with group 1337, as Istio injects it)', readId)
		.option('--proxy-gid <n>', 'group of the proxy stub (default: same number as its user)', readId)
		.option('--agent-uid <n>', 'user of the agent (default: the proxy\'s)', readId)
		.option('--agent-gid <n>', 'group of the agent (default: same number as its user)', readId)
		.option('--app-uid <n>', 'user of the app', readId, 1000)
		.option('--app-gid <n>', 'group of the app (default: same number as its user)', readId)
		.addOption(new Option('--format <name>', `what to print on stdout: ${formats.join(', ')} (annotations; the summary goes to the file that GITHUB_STEP_SUMMARY names, or follows them)`).argParser(readFormat).default('text'))
		.option('--output <file>', 'write the report there instead of stdout')
		.option('--record <file>', 'also write what the kernel said, for testbed replay')
		.option('--verbose', 'show every traversal with hook, table and chain')
		.option('--keep', 'keep the namespaces, named, and print how to enter them')
		.addOption(timeoutOption())
		.option('--jobs <n>', 'how many rule sets run at once, when there are several', text => readNumber(text, {min: 1, max: 64}), defaultJobs)
		.addOption(bufferOption())
		.addHelpText('after', examples)
		.action(async (scenarios: readonly string[], flags: RunFlags, command: Command) => {
			if (scenarios.length > 0) {
				const {scenarioCommand} = await import('../commands/scenario.js');
				const given = command.options.filter(option => command.getOptionValueSource(option.attributeName()) === 'cli').map(({long}) => long ?? '');
				setStatus(await scenarioCommand(scenarios, {flags, given}));
				return;
			}

			const {runCommand} = await import('../commands/run.js');
			setStatus(await runCommand(flags));
		});
}
