/**
The command lines of `testbed baseline create` and `testbed baseline check`.
*/

import {Command, Option} from 'commander';
import {
	formats, readBackend, readFamilies, readFormat, readId,
} from '../parsers.js';
import type {RecordFlags} from '../commands/baseline-create.js';
import type {VerifyFlags} from '../commands/baseline-check.js';
import {needsRoot} from './needs-root.js';
import {
	bufferOption, modulesOption, serversOption, timeoutOption,
} from './shared-options.js';

const createExamples = `
A baseline says what the rules do now, so that a repository and its pull
requests can be checked against it. For each packet class that the rules can
tell apart it has a probe, the place where it arrived, and the roles of the
rules that decided; and the same for the connections of the six types and of
scenarios. It has no rule numbers and no times: the same rules on the same
machine give the same file, and it survives renumbering, another version of
iptables, and another back end. (To keep every message of the kernel, use
testbed run --record.)

Examples:
  testbed baseline create --output baseline.json       the newest release
  testbed baseline create 'release:1.30 --redirect-dns' --output dns.json
  iptables-save | testbed baseline create - --family ipv4 --output pod.json
  testbed baseline create --scenarios scenarios/ --output baseline.json

Exit status: 0 created, 2 usage or input, 3 not everything could be recorded
(nothing is written where evidence was lost), 4 this machine cannot do it.`;

const checkExamples = `
Packets are divided by the new rules and by those of the baseline together, so
traffic that moved is found even where no recorded probe would have met it.

Examples:
  testbed baseline check baseline.json                 what it was created from
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
		.option('--rules6 <file>', 'the IPv6 dump that belongs to the input')
		.option('--backend <name>', 'iptables-nft, iptables-legacy or nftables (default: the input\'s; iptables-nft)', readBackend)
		.addOption(serversOption())
		.addOption(modulesOption())
		.option('--proxy-uid <n>', 'user of the proxy', readId)
		.option('--proxy-gid <n>', 'group of the proxy (default: same number as its user)', readId)
		.addOption(timeoutOption())
		.addOption(bufferOption());
}

/** `testbed baseline`, with its two commands. */
export function baselineCommandLine(setStatus: (status: number) => void): Command {
	return needsRoot(new Command('baseline')
		.description('write down what a rule set does, and check rules against it later')
		.helpCommand(false)
		.addCommand(createCommandLine(setStatus))
		.addCommand(checkCommandLine(setStatus)));
}

/** `testbed baseline create [INPUT]`. */
function createCommandLine(setStatus: (status: number) => void): Command {
	return withShared(new Command('create')
		.description('write a baseline: what a rule set does with every packet class')
		.argument('[input]', 'release:VERSION [arguments], ambient:VERSION, pod:FILE, a dump\'s file, or - (default: the newest release)')
		.addOption(new Option('--family <name>', 'ipv4, ipv6 or both').argParser(readFamilies).default(['ipv4', 'ipv6'], 'both'))
		.option('--scenarios <file...>', 'scenario files, or folders of them, in addition to the six types; their connections go through these rules, not those that they name')
		.option('--output <file>', 'write the baseline there instead of stdout'))
		.addHelpText('after', createExamples)
		.action(async (input: string | undefined, flags: RecordFlags) => {
			const {recordCommand} = await import('../commands/baseline-create.js');
			setStatus(await recordCommand(input, flags));
		});
}

/** `testbed baseline check BASELINE [INPUT]`. */
function checkCommandLine(setStatus: (status: number) => void): Command {
	return withShared(new Command('check')
		.description('tell what moved since a baseline was created')
		.argument('<baseline>', 'a file that testbed baseline create wrote, or -')
		.argument('[input]', 'the rules (default: what the baseline was created from)')
		.addOption(new Option('--family <name>', 'ipv4, ipv6 or both (default: all of the baseline)').argParser(readFamilies))
		.option('--stops-only', 'only where traffic arrives, not by which rules')
		.option('--update', 'write the baseline again, after reporting what moved')
		.addOption(new Option('--format <name>', `what to print on stdout: ${formats.join(', ')}`).argParser(readFormat).default('text'))
		.option('--output <file>', 'write the report there instead of stdout')
		.option('--verbose', 'also list what was left out, with the reasons'))
		.addHelpText('after', checkExamples)
		.action(async (file: string, input: string | undefined, flags: VerifyFlags) => {
			const {verifyCommand} = await import('../commands/baseline-check.js');
			setStatus(await verifyCommand(file, input, flags));
		});
}
