/**
The command line of `testbed probe`.
*/

import {Command, Option} from 'commander';
import {placeNames, senders} from '../../inputs/probe-target.js';
import {readBackends, readId, readMark} from '../parsers.js';
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

A line of a batch has the keys from, to, family, uid, gid, proto, source,
sourcePort, bindDevice, mark and id; only to must be there:
  {"from": "app", "uid": 1337, "to": "10.96.0.1:443"}
An answer has path, stops, outcome (delivered, refused, dropped, unreachable,
unknown, loop or inconclusive), gaps, and the id of its line.

Places: ${placeNames}.
Exit status: 0 the kernel has answered, 2 usage or input, 3 inconclusive,
4 this machine cannot do it.`;

export function probeCommandLine(setStatus: (status: number) => void): Command {
	return new Command('probe')
		.description('one connection: which way it takes, which rule decides, and why not the others')
		.addOption(new Option('--from <actor>', 'who connects').choices(senders).default('app'))
		.option('--to <destination>', 'ADDRESS:PORT, [ADDRESS]:PORT or PLACE:PORT')
		.option('--uid <n>', 'user of the sender (default: as in run)', readId)
		.option('--gid <n>', 'group of the sender (default: the number of its user)', readId)
		.option('--source <address>', 'the sender\'s own address to connect from (default: what the route says)')
		.option('--mark <n>', 'mark of the sender\'s socket: 1337 or 0x539 (default: none)', readMark)
		.option('--bind-device <name>', 'device that the sender\'s socket is bound to (default: none)')
		.addOption(new Option('--proto <name>', 'of the first packet').choices(['tcp', 'udp']).default('tcp'))
		.addOption(new Option('--family <name>', 'of a place; an address says it itself (default: ipv4)').choices(['ipv4', 'ipv6']))
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
