/**
The command line of `testbed probe`.
*/

import {Command, InvalidArgumentError, Option} from 'commander';
import {
	fieldList, mustBe, optionOf, probeKeys, valueOfWord,
} from '../../../src/scenario/probe-spec.js';
import {placeNames} from '../../../src/scenario/read-probe.js';
import {readBackends, readId} from '../parsers.js';
import {paragraph} from '../../../src/report/terminal/wrap.js';
import type {ProbeFlags} from '../commands/probe.js';
import {
	bufferOption, modulesOption, serversOption, timeoutOption,
} from './shared-options.js';

const probeExamples = `
One connection is opened as asked; the answer is the way that it took on the
kernel, and for each rule that was asked what it is for, or why it did not
match.

Examples:
  testbed probe --from app --to 10.96.0.1:443
  testbed probe --from app --uid 1337 --to remote:8080     as the proxy's user
  testbed probe --from agent --uid 0 --gid 1337 --to istiod:15012
  testbed probe --from remote --to pod:9090
  testbed probe --from app --to [2001:db8::1]:443 --format json
  testbed probe --from app --to vip:8080 --rules 'release:1.30 -u 64535,1337'
  testbed probe --proto udp --to resolver:53 \\
    --rules 'release:1.30 --redirect-dns'
  testbed probe --batch probes.jsonl --follow > answers.jsonl

${paragraphOf(`A line of a batch has the keys ${probeKeys.slice(0, -1).join(', ')} and ${probeKeys.at(-1)}; only to must be there:`)}
  {"from": "app", "uid": 1337, "to": "10.96.0.1:443"}
An answer has path, stops, outcome (delivered, refused, dropped, unreachable,
unknown, loop or inconclusive), gaps, and the id of its line.

Places: ${placeNames}.
Exit status: 0 the kernel has answered, 2 usage or input, 3 inconclusive,
4 this machine cannot do it.`;

export function probeCommandLine(setStatus: (status: number) => void): Command {
	const command = new Command('probe')
		.description('one connection: which way it takes, which rule decides, and why not the others');
	for (const option of fieldOptions()) {
		command.addOption(option);
	}

	return command
		.option('--rules <input>', 'as of run (default: the newest release)')
		.option('--rules6 <file>', 'the IPv6 dump that belongs to the one in --rules')
		.option('--backend <name>', 'iptables-nft, iptables-legacy or nftables (default: the input\'s; iptables-nft)', readBackends)
		.addOption(serversOption())
		.addOption(modulesOption())
		.option('--cni', 'with pod:FILE: istio-cni writes the rules, whatever the manifest says')
		.option('--release <version>', 'with pod:FILE: the release, where no image tells it (default: the newest)')
		.option('--proxy-uid <n>', 'user of the proxy stub (default: as in run)', readId)
		.option('--proxy-gid <n>', 'group of the proxy stub (default: the number of its user)', readId)
		.option('--agent-uid <n>', 'user of the agent (default: the proxy\'s)', readId)
		.option('--agent-gid <n>', 'group of the agent (default: that of its user)', readId)
		.option('--batch <file>', 'ask many at once: one JSON object a line, from a file or - (stdin); the answers are JSON lines in the same order')
		.option('--follow', 'with --batch: also send what the proxy would send on')
		.option('--first-leg', 'show only what the connection itself met, not what the proxy did with it')
		.addOption(new Option('--format <name>', 'what to print on stdout').choices(['text', 'json']).default('text'))
		.option('--verbose', 'show every traversal with hook, table and chain, and every rule of long chains')
		.addOption(timeoutOption())
		.addOption(bufferOption())
		.addHelpText('after', probeExamples)
		.action(async (flags: ProbeFlags, command: Command) => {
			if (flags.batch !== undefined) {
				const {probeBatchCommand} = await import('../commands/probe-batch.js');
				const given = command.options.map(option => option.attributeName()).filter(name => command.getOptionValueSource(name) === 'cli');
				setStatus(await probeBatchCommand(flags.batch, flags, given));
				return;
			}

			const {probeCommand} = await import('../commands/probe.js');
			setStatus(await probeCommand(flags));
		});
}

/** The options that say what is sent: those of the table of fields. */
function fieldOptions(): readonly Option[] {
	return fieldList.flatMap(({key, values, standard, option: told}) => {
		if (told === undefined) {
			return [];
		}

		const option = new Option(`${optionOf(key)} <${told.value}>`, told.help);
		if (values.kind === 'choice') {
			option.choices(values.choices);
		} else {
			option.argParser(word => {
				const value = valueOfWord({values}, word);
				const wanted = mustBe(values, value);
				if (wanted !== undefined) {
					throw new InvalidArgumentError(`It must be ${wanted}.`);
				}

				return value;
			});
		}

		return standard === undefined ? [option] : [option.default(standard)];
	});
}

/** A sentence in lines of the help's width. */
function paragraphOf(sentence: string): string {
	return paragraph(sentence, {indent: 0, width: 78}).join('\n');
}
