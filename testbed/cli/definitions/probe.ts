/**
The command line of `testbed probe`.
*/

import {Command, InvalidArgumentError, Option} from 'commander';
import {
	fieldList, mustBe, optionOf, probeKeys, valueOfWord,
} from '../../../src/scenario/probe-spec.js';
import {placeNames} from '../../../src/scenario/read-probe.js';
import {answerFormats, readBackends, readId} from '../parsers.js';
import {paragraph} from '../../../src/report/terminal/wrap.js';
import type {ProbeFlags} from '../commands/probe.js';
import {helpText} from '../output/help-text.js';
import {jsonOption} from '../output/json-keys.js';
import {addShardOptions} from './shard-options.js';
import {
	backendHelp, agentGroupOption, agentUserOption, bufferOption, checkOption, cniOption, colorOption, contextOption, debugImageOption, formatOption, kubeconfigOption, modulesOption,
	outputOption, proxyGroupOption, quietOption, releaseOption, serversOption, timeoutOption,
} from './shared-options.js';

const probeExamples = `
Opens one connection and shows the path that it took through the kernel. For
each rule that was tested, it says what the rule is for, or why the rule did
not match.

Examples:
  testbed probe --from app --to 10.96.0.1:443
  testbed probe --from app --uid 1337 --to remote:8080     as the proxy's user
  testbed probe --from agent --uid 0 --gid 1337 --to istiod:15012
  testbed probe --from remote --to pod:9090
  testbed probe --from app --to [2001:db8::1]:443 --format json
  testbed probe --from app --to vip:8080 --rules 'release:1.30 -u 64535,1337'
  testbed probe --from app --to remote:8080 --format svg --output path.svg
  testbed probe --proto udp --to resolver:53 \\
    --rules 'release:1.30 --redirect-dns'
  testbed probe --batch probes.jsonl --follow > answers.jsonl

${paragraphOf(`A line of a batch can have the keys ${probeKeys.slice(0, -1).join(', ')} and ${probeKeys.at(-1)}; only to is required:`)}
  {"from": "app", "uid": 1337, "to": "10.96.0.1:443"}
An answer has path, stops, outcome (delivered, closed, refused, dropped,
unreachable, nowhere, lost, answer-dropped, loop, unknown or inconclusive),
gaps, and the id of its line.

Places: ${placeNames}.
Exit status: 0 the kernel answered, 2 usage or input, 3 inconclusive,
4 this machine cannot do it.`;

export function probeCommandLine(setStatus: (status: number) => void): Command {
	const command = new Command('probe')
		.description('send one connection, and show which path it takes, which rule decides, and why the other rules do not match');
	for (const option of fieldOptions()) {
		command.addOption(option);
	}

	return addShardOptions(command
		.option('--rules <input>', 'as for run (default: the newest release)')
		.option('--rules6 <file>', 'the IPv6 dump that goes with the one in --rules')
		.option('--backend <name>', backendHelp.one, readBackends)
		.addOption(serversOption())
		.addOption(kubeconfigOption())
		.addOption(contextOption())
		.addOption(debugImageOption())
		.addOption(modulesOption())
		.addOption(cniOption())
		.addOption(releaseOption())
		.option('--proxy-uid <n>', 'user of the proxy stub (default: as in run)', readId)
		.addOption(proxyGroupOption('proxy stub'))
		.addOption(agentUserOption())
		.addOption(agentGroupOption())
		.option('--batch <file>', 'send many probes at once: one JSON object per line, from a file or - (stdin); the answers are JSON lines in the same order')
		.option('--follow', 'with --batch: also send what the proxy would send in turn')
		.option('--first-leg', 'show only the connection itself, not what the proxy did with it')
		.addOption(formatOption(answerFormats))
		.addOption(outputOption(answerFormats, 'answer'))
		.addOption(jsonOption('probe'))
		.addOption(checkOption())
		.addOption(quietOption(''))
		.addOption(colorOption())
		.option('--pcap <file>', 'also write all packets to this file, for Wireshark, each with its leg and the rules that it met')
		.option('--brief', 'print the answer in one line: the outcome and the path')
		.option('--verbose', 'show every traversal with hook, table and chain, and every rule of long chains')
		.addOption(timeoutOption())
		.addOption(bufferOption()), 'the lines of --batch')
		.addHelpText('after', helpText(probeExamples))
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
					throw new InvalidArgumentError(`it must be ${wanted}.`);
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
