/**
The command lines of `testbed record` and `testbed verify`.
*/

import {Command, Option} from 'commander';
import {
	formats, readBackend, readFamilies, readFormat, readId,
} from '../parsers.js';
import type {RecordFlags} from '../commands/record.js';
import type {VerifyFlags} from '../commands/verify.js';
import {
	bufferOption, modulesOption, serversOption, timeoutOption,
} from './shared-options.js';

const recordExamples = `
A baseline says what the rules do now, for a repository and its pull requests:
for each class of packets that the rules can tell apart the probe that stands
for it, where it arrived, and the rules that decided, by role; the same for the
connections of the six types and of scenarios. It holds no rule's number and no
time, so the same rules on the same machine give the same file, and it outlives
renumbering, another version of iptables, and another back end. (To keep what
the kernel said, message by message, is another thing: testbed run --record.)

Examples:
  testbed record --output baseline.json            the newest release
  testbed record 'release:1.30 --redirect-dns' --output dns.json
  iptables-save | testbed record - --family ipv4 --output pod.json
  testbed record release:1.30 --scenarios scenarios/ --output baseline.json

Exit status: 0 recorded, 2 usage or input, 3 not all could be recorded (where
evidence was lost nothing is written), 4 this machine cannot do it.`;

const verifyExamples = `
The rules are cut into classes together with those of the baseline, so traffic
that moved is found even where no recorded probe would have met it.

Examples:
  testbed verify baseline.json                     what it was recorded from
  testbed verify baseline.json release:1.31        another release
  testbed verify baseline.json --backend nftables  another back end
  iptables-save | testbed verify baseline.json - --family ipv4
                                                   is the pod as it should be?
  testbed verify baseline.json new.rules --stops-only
  testbed verify baseline.json --format github     annotations and a summary
  testbed verify baseline.json release:1.31 --update

Exit status: 0 as recorded (with --update: written), 1 something moved, 2 usage
or input, 3 inconclusive, 4 this machine cannot do it.`;

function withShared(command: Command): Command {
	return command
		.option('--rules6 <file>', 'the IPv6 dump that belongs to the input')
		.option('--backend <name>', 'iptables-nft, iptables-legacy or nftables (default: the input\'s; iptables-nft)', readBackend)
		.addOption(serversOption())
		.addOption(modulesOption())
		.option('--proxy-uid <n>', 'user of the proxy', readId)
		.option('--proxy-gid <n>', 'group of the proxy (default: the number of its user)', readId)
		.addOption(timeoutOption())
		.addOption(bufferOption());
}

/** `testbed record [INPUT]`. */
export function recordCommandLine(setStatus: (status: number) => void): Command {
	return withShared(new Command('record')
		.description('write a baseline: what a rule set does with every class of packets')
		.argument('[input]', 'release:VERSION [arguments], ambient:VERSION, pod:FILE, a dump\'s file, or - (default: the newest release)')
		.addOption(new Option('--family <name>', 'ipv4, ipv6 or both').argParser(readFamilies).default(['ipv4', 'ipv6'], 'both'))
		.option('--scenarios <file...>', 'scenario files, or folders of them, beside the six types; their connections go through these rules, not through those that they name')
		.option('--output <file>', 'write the baseline there instead of stdout'))
		.addHelpText('after', recordExamples)
		.action(async (input: string | undefined, flags: RecordFlags) => {
			const {recordCommand} = await import('../commands/record.js');
			setStatus(await recordCommand(input, flags));
		});
}

/** `testbed verify BASELINE [INPUT]`. */
export function verifyCommandLine(setStatus: (status: number) => void): Command {
	return withShared(new Command('verify')
		.description('tell what moved since a baseline was recorded')
		.argument('<baseline>', 'a file that testbed record wrote, or -')
		.argument('[input]', 'the rules (default: what the baseline was recorded from)')
		.addOption(new Option('--family <name>', 'ipv4, ipv6 or both (default: all of the baseline)').argParser(readFamilies))
		.option('--stops-only', 'only where traffic arrives, not by which rules')
		.option('--update', 'write the baseline anew, after telling what moved')
		.addOption(new Option('--format <name>', `what to print on stdout: ${formats.join(', ')}`).argParser(readFormat).default('text'))
		.option('--output <file>', 'write the report there instead of stdout')
		.option('--verbose', 'tell what was left out, with the reasons'))
		.addHelpText('after', verifyExamples)
		.action(async (file: string, input: string | undefined, flags: VerifyFlags) => {
			const {verifyCommand} = await import('../commands/verify.js');
			setStatus(await verifyCommand(file, input, flags));
		});
}
