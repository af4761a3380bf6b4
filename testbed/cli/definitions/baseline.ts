/**
The command lines of `testbed baseline create` and `testbed baseline check`.
*/

import {Command, Option} from 'commander';
import {
	formats, readBackend, readFamilies, readId,
} from '../parsers.js';
import type {RecordFlags} from '../commands/baseline-create.js';
import type {VerifyFlags} from '../commands/baseline-check.js';
import {helpText} from '../output/help-text.js';
import {jsonOption} from '../output/json-keys.js';
import {
	backendHelp, bufferOption, checkOption, colorOption, contextOption, debugImageOption, formatOption, kubeconfigOption, limitOption, modulesOption, outputOption, proxyGroupOption, quietOption,
	serversOption, timeoutOption,
} from './shared-options.js';

const createExamples = `
A baseline records what the rules do now, so that you can check later versions
of them against it, for example in pull requests. For every packet class that
the rules can tell apart, it holds a probe, the place where the probe arrived,
and the roles of the rules that decided. It holds the same for the connections
of the six types and of scenarios. It contains no rule numbers and no times, so
the same rules on the same machine always give the same file, and it stays valid
when rules are renumbered, with another version of iptables, and on another back
end. (To keep every message from the kernel, use testbed run --record.)

Examples:
  testbed baseline create --output baseline.json       the newest release
  testbed baseline create 'release:1.30 --redirect-dns' --output dns.json
  iptables-save | testbed baseline create - --family ipv4 --output pod.json
  testbed baseline create --scenarios scenarios/ --output baseline.json

Exit status: 0 created, 2 usage or input, 3 not everything could be recorded
(if evidence was lost, nothing is written), 4 this machine cannot do it.`;

const checkExamples = `
Packets are divided into classes by the new rules and the baseline's rules
together, so a change is found even if no recorded probe would have hit it.

Examples:
  testbed baseline check baseline.json                 the rules it came from
  testbed baseline check baseline.json release:1.31    another release
  testbed baseline check baseline.json --backend nftables
  iptables-save | testbed baseline check baseline.json - --family ipv4
                                                       has the pod drifted?
  testbed baseline check baseline.json new.rules --stops-only
  testbed baseline check baseline.json --format github
                                                       annotations and a summary
  testbed baseline check baseline.json release:1.31 --update

Exit status: 0 nothing moved (with --update: written), 1 something moved, 2 usage
or input, 3 inconclusive, 4 this machine cannot do it.`;

function withShared(command: Command): Command {
	return command
		.option('--rules6 <file>', 'the IPv6 dump that goes with the input')
		.option('--backend <name>', backendHelp.one, readBackend)
		.addOption(serversOption())
		.addOption(kubeconfigOption())
		.addOption(contextOption())
		.addOption(debugImageOption())
		.addOption(modulesOption())
		.addOption(checkOption())
		.option('--proxy-uid <n>', 'user of the proxy', readId)
		.addOption(proxyGroupOption())
		.addOption(limitOption())
		.addOption(timeoutOption())
		.addOption(bufferOption());
}

/** `testbed baseline`, with its two commands. */
export function baselineCommandLine(setStatus: (status: number) => void): Command {
	return new Command('baseline')
		.description('record what a rule set does, and check rules against that later')
		.helpCommand(false)
		.addCommand(createCommandLine(setStatus))
		.addCommand(checkCommandLine(setStatus));
}

/** `testbed baseline create [INPUT]`. */
function createCommandLine(setStatus: (status: number) => void): Command {
	return withShared(new Command('create')
		.description('write a baseline: what a rule set does with each packet class')
		.argument('[input]', 'release:VERSION [arguments], ambient:VERSION, pod:FILE, a dump\'s file, -, or a live pod (netns:NAME, pid:PID, container:ID, kubectl:NAMESPACE/POD) (default: the newest release)')
		.addOption(new Option('--family <name>', 'ipv4, ipv6 or both').argParser(readFamilies).default(['ipv4', 'ipv6'], 'both'))
		.option('--scenarios <file...>', 'scenario files, or folders of them, to record in addition to the six types; their connections go through these rules, not the ones that the files name')
		.option('--output <file>', 'write the baseline to this file instead of stdout')
		.addOption(quietOption('')))
		.addHelpText('after', helpText(createExamples))
		.action(async (input: string | undefined, flags: RecordFlags) => {
			const {recordCommand} = await import('../commands/baseline-create.js');
			setStatus(await recordCommand(input, flags));
		});
}

/** `testbed baseline check BASELINE [INPUT]`. */
function checkCommandLine(setStatus: (status: number) => void): Command {
	return withShared(new Command('check')
		.description('report what has moved since a baseline was created')
		.argument('<baseline>', 'a file written by testbed baseline create, or -')
		.argument('[input]', 'the rules (default: the input that the baseline was created from)')
		.addOption(new Option('--family <name>', 'ipv4, ipv6 or both (default: as in the baseline)').argParser(readFamilies))
		.option('--stops-only', 'compare only where traffic arrives, not which rules took it there')
		.option('--update', 'report what moved, then rewrite the baseline')
		.addOption(formatOption(formats))
		.addOption(outputOption(formats))
		.addOption(jsonOption('verification'))
		.addOption(quietOption())
		.addOption(colorOption())
		.option('--verbose', 'also list the classes that were left out, with the reasons'))
		.addHelpText('after', helpText(checkExamples))
		.action(async (file: string, input: string | undefined, flags: VerifyFlags) => {
			const {verifyCommand} = await import('../commands/baseline-check.js');
			setStatus(await verifyCommand(file, input, flags));
		});
}
