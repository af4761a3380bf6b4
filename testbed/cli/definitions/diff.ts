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
The packets that the rules of either side can tell apart are cut into classes;
for each class probes go through both rule sets, each in a sandbox of its own.
What moved is told by the traffic, the gravest first: what passes by the sidecar
now, what comes to no end, what goes round, what goes elsewhere. Equal means
equal for every class, and the answer says how many those were.

Examples:
  testbed diff release:1.24 release:1.30
  testbed diff release:1.30 'release:1.30 --redirect-dns'
  testbed diff old.rules new.rules                 two dumps
  iptables-save | testbed diff release:1.30 -      is the pod as it should be?
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
		.description('tell which traffic moved between two rule sets, completely, with witnesses')
		.argument('<inputs...>', 'two rule sets: release:VERSION [arguments], ambient:VERSION, pod:FILE, a dump\'s file, or -')
		.option('--consecutive', 'each input names many rule sets (release:all …); compare each of them with the next')
		.option('--since <version>', 'with --consecutive: no releases before this one')
		.option('--from6 <file>', 'the IPv6 dump that belongs to the first')
		.option('--to6 <file>', 'the IPv6 dump that belongs to the second')
		.option('--backend <list>', 'one back end, or one for each side (default: the inputs\'; iptables-nft)', readBackends)
		.addOption(new Option('--family <name>', 'ipv4, ipv6 or both').argParser(readFamilies).default(['ipv4', 'ipv6'], 'both'))
		.option('--paths', 'report equal stops by other rules as well')
		.addOption(serversOption())
		.addOption(modulesOption())
		.option('--proxy-uid <n>', 'user of the proxy on both sides (default: that of the first rule set)', readId)
		.option('--proxy-gid <n>', 'group of the proxy (default: the number of its user)', readId)
		.addOption(new Option('--format <name>', `what to print: ${formats.join(', ')}`).argParser(readFormat).default('text'))
		.option('--output <file>', 'write it there instead of stdout')
		.option('--verbose', 'tell what was left out, with the reasons')
		.addOption(timeoutOption())
		.addOption(bufferOption())
		.addHelpText('after', examples)
		.action(async (inputs: readonly string[], flags: DiffFlags) => {
			const {diffCommand} = await import('../commands/diff.js');
			setStatus(await diffCommand(inputs, flags));
		});
}
