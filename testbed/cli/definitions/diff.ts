/**
The command line of `testbed diff`.
*/

import {Command, Option} from 'commander';
import {
	formats, readBackends, readFamilies, readFormat, readId,
} from '../parsers.js';
import type {DiffFlags} from '../commands/diff.js';
import {
	bufferOption, modulesOption, serversOption, timeoutOption,
} from './shared-options.js';

const examples = `
Packets are divided into classes: all packets that neither rule set can tell
apart are one class. Each class is sent through both rule sets, in a sandbox of
its own. Traffic that moved is listed by severity: traffic that now bypasses the
sidecar first, then traffic that is lost, loops, or reaches another listener.
"Equal" means equal for every class, and the report says how many there were.

Examples:
  testbed diff release:1.24 release:1.30
  testbed diff release:1.30 'release:1.30 --redirect-dns'
  testbed diff old.rules new.rules                 two dumps
  iptables-save | testbed diff release:1.30 -      has the pod drifted?
  testbed diff release:1.30 pod:pod.yaml
  testbed diff release:1.30 release:1.30 --backend iptables-nft,nftables
  testbed diff release:1.24 release:1.30 --paths   other rules, same stops
  testbed diff release:1.30 'release:1.30 -u 64535,1337' --format json
  testbed diff --consecutive --since 1.10 release:all 'release:all --redirect-dns'
                                                   each release and the next

Exit status: 0 equal, 1 something moved, 2 usage or input, 3 inconclusive,
4 this machine cannot do it.`;

/** `testbed diff A B`. */
export function diffCommandLine(setStatus: (status: number) => void): Command {
	return new Command('diff')
		.description('show which traffic moved between two rule sets, for all packets, with examples')
		.argument('<inputs...>', 'two rule sets: release:VERSION [arguments], ambient:VERSION, pod:FILE, a dump\'s file, or -')
		.option('--consecutive', 'each input names many rule sets (release:all …); compare each with the next')
		.option('--since <version>', 'with --consecutive: skip releases before this one')
		.option('--from6 <file>', 'the IPv6 dump that belongs to the first')
		.option('--to6 <file>', 'the IPv6 dump that belongs to the second')
		.option('--backend <list>', 'one back end, or one for each side (default: the inputs\'; iptables-nft)', readBackends)
		.addOption(new Option('--family <name>', 'ipv4, ipv6 or both').argParser(readFamilies).default(['ipv4', 'ipv6'], 'both'))
		.option('--paths', 'also report traffic that reaches the same listeners by other rules')
		.addOption(serversOption())
		.addOption(modulesOption())
		.option('--proxy-uid <n>', 'user of the proxy on both sides (default: the first rule set\'s)', readId)
		.option('--proxy-gid <n>', 'group of the proxy (default: same number as its user)', readId)
		.addOption(new Option('--format <name>', `what to print: ${formats.join(', ')}`).argParser(readFormat).default('text'))
		.option('--output <file>', 'write it there instead of stdout')
		.option('--verbose', 'also list what was left out, with the reasons')
		.addOption(timeoutOption())
		.addOption(bufferOption())
		.addHelpText('after', examples)
		.action(async (inputs: readonly string[], flags: DiffFlags) => {
			const {diffCommand} = await import('../commands/diff.js');
			setStatus(await diffCommand(inputs, flags));
		});
}
