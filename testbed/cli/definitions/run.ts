/**
The command line of `testbed run`.
*/

import {Command, Option} from 'commander';
import {
	defaultJobs, readBackends, readDuration, readExpression, readFamilies, readId, readNumber, readTypes, runFormats,
} from '../parsers.js';
import {otherProxies} from '../../actors/proxy.js';
import type {RunFlags} from '../commands/run.js';
import {helpText} from '../output/help-text.js';
import {jsonOption} from '../output/json-keys.js';
import {addShardOptions} from './shard-options.js';
import {
	backendHelp, agentGroupOption, agentUserOption, bufferOption, checkOption, cniOption, colorOption, contextOption, debugImageOption, formatOption, kubeconfigOption, modulesOption,
	outputOption, outsideOption, programOption, proxyGroupOption, proxyOption, quietOption, releaseOption, serversOption, timeoutOption, watchOption,
} from './shared-options.js';

export const examples = `
Examples:
  testbed                                  the six types, newest release, IPv4
  testbed run --family both --backend iptables-legacy
  testbed run --types 1,4b --verbose       two types, every traversal
  testbed run scenarios/ --filter dns      only some cases
  testbed run scenarios/ --list            the names of all
  testbed run --agent-uid 0                an agent with its own user
  testbed run --rules 'release:1.30 -u 2000' --proxy-uid 2000
  iptables-save | testbed run --rules -    the rules of your pod
  testbed run --rules pod:pod.yaml         the rules for a manifest
  testbed run --rules pid:4711             the rules where they are: in a live pod
  testbed run --rules kubectl:shop/cart-0  those of a pod of a cluster
  testbed run --rules 'release:1.30 --redirect-dns -m TPROXY'
  testbed run --backend all                the newest release, every back end
  testbed run --rules release:all          every release, iptables-nft and legacy
  testbed run --rules release:1.99         not known yet, so the newest rules
  testbed run --format json > report.json
  testbed run --output junit=report.xml --output markdown=report.md
                                           text here, and two files
  testbed run scenarios/                   all scenarios in a folder, every back end
  testbed run my.yaml --watch              again after each change of the file
  testbed run --record run.testbed         record it, for testbed replay
  testbed run --proxy envoy                with a real Envoy as the proxy

Exit status: 0 all passed, 1 something failed, 2 usage or input, 3 inconclusive
(or a bug in the testbed), 4 this machine cannot do it (the message shows the
command that fixes it), 130 interrupted.
In a checkout, the command is bin/testbed.`;

export function runCommandLine(setStatus: (status: number) => void): Command {
	const command = new Command('run')
		.description('send the six types of sidecar traffic, and compare what the kernel did with what was expected')
		.argument('[scenario...]', 'scenario files (.yaml, .yml, .json), or folders of them, instead of the six types')
		.option('--rules <input>', 'release:VERSION [arguments of istio-iptables], release:latest, release:all, ambient:VERSION [options], pod:FILE, a dump\'s file, -, or a live pod (netns:NAME, pid:PID, container:ID, kubectl:NAMESPACE/POD) (default: the newest release)')
		.option('--rules6 <file>', 'the IPv6 dump that goes with the one in --rules')
		.option('--backend <list>', backendHelp.several, readBackends)
		.addOption(new Option('--family <name>', 'ipv4, ipv6 or both').argParser(readFamilies).default(['ipv4'], 'ipv4'))
		.addOption(serversOption())
		.addOption(kubeconfigOption())
		.addOption(contextOption())
		.addOption(debugImageOption())
		.addOption(modulesOption())
		.addOption(outsideOption())
		.addOption(cniOption())
		.addOption(releaseOption())
		.option('--types <list>', '1 to 6, and 4b (app to its own pod\'s address); ranges such as 1-3, or all (default: 1-6)', readTypes)
		.option('--filter <re>', 'run only the cases whose name matches this regular expression; --list shows the names', readExpression)
		.option('--list', 'print the names of all cases instead of running them; needs no root')
		.option('--bail', 'start no further rule set or scenario once one did not pass; those that were not run are inconclusive')
		.option('--proxy-uid <n>', 'user of the proxy stub (default: the one in the manifest, otherwise the first one that the rules exempt; under TPROXY, 0 with group 1337, as Istio injects it)', readId)
		.addOption(proxyGroupOption('proxy stub'))
		.addOption(agentUserOption())
		.addOption(agentGroupOption())
		.option('--app-uid <n>', 'user of the app (default: the one in the manifest, otherwise 1000)', readId)
		.option('--app-gid <n>', 'group of the app (default: the same number as its user)', readId)
		.addOption(formatOption(runFormats, ' (svg and mermaid draw one connection; github prints annotations, and writes a summary to the file in GITHUB_STEP_SUMMARY, or after the annotations if that is not set)'))
		.addOption(outputOption(runFormats))
		.addOption(jsonOption('run'))
		.addOption(checkOption())
		.addOption(watchOption())
		.addOption(quietOption())
		.addOption(colorOption())
		.option('--record <file>', 'also record everything that the kernel reports, for testbed replay')
		.option('--pcap <file>', 'also write all packets to this file, for Wireshark, each with its leg and the rules that it met')
		.option('--verbose', 'show every traversal with hook, table and chain')
		.option('--keep', 'keep the sandbox and its listeners until testbed clean, and print how to use them')
		.option('--keep-for <time>', 'keep them for this long: 90s, 30m, 2h', readDuration)
		.addOption(proxyOption());
	for (const name of otherProxies) {
		command.addOption(programOption(name));
	}

	return addShardOptions(command
		.addOption(timeoutOption())
		.option('--jobs <n>', 'number of rule sets to run at once, if there are several', text => readNumber(text, {min: 1, max: 64}), defaultJobs), 'rule sets or scenarios')
		.addOption(bufferOption())
		.addHelpText('after', helpText(examples))
		.action(async (scenarios: readonly string[], flags: RunFlags, command: Command) => {
			const given = command.options.filter(option => command.getOptionValueSource(option.attributeName()) === 'cli').map(({long}) => long ?? '');
			if (flags.watch === true) {
				const {watchRun} = await import('../watch/watch-run.js');
				setStatus(await watchRun(command, scenarios, given));
				return;
			}

			if (scenarios.length > 0) {
				const {scenarioCommand} = await import('../commands/scenario.js');
				setStatus(await scenarioCommand(scenarios, {flags, given}));
				return;
			}

			const {runCommand} = await import('../commands/run.js');
			setStatus(await runCommand(flags));
		});
}
