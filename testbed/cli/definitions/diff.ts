/**
The command line of `testbed diff`.
*/

import {Command, Option} from 'commander';
import {
	formats, readBackends, readFamilies, readId,
} from '../parsers.js';
import type {DiffFlags} from '../commands/diff.js';
import {helpText} from '../output/help-text.js';
import {jsonOption} from '../output/json-keys.js';
import {addShardOptions} from './shard-options.js';
import {
	backendHelp, bufferOption, checkOption, colorOption, contextOption, debugImageOption, formatOption, kubeconfigOption, limitOption, modulesOption, outputOption, proxyGroupOption, quietOption,
	serversOption, timeoutOption, watchOption,
} from './shared-options.js';

const examples = `
Packets are divided into classes: packets that neither rule set can tell apart
belong to one class. Each class is sent through both rule sets, each of which
has its own sandbox. Traffic that moved is listed by severity: traffic that now
bypasses the sidecar first, then traffic that is lost, loops, or reaches another
listener. "Equal" means equal for every class; the report says how many there
were.

If the second rule set is that of a live pod (netns:, pid:, container:, and
kubectl: with --debug-image), this is a drift check: the report says what the
pod does differently, and which of the usual causes left a trace. What is
expected gets the pod's own name servers.

Examples:
  testbed diff release:1.24 release:1.30
  testbed diff release:1.30 'release:1.30 --redirect-dns'
  testbed diff old.rules new.rules                 two dumps
  iptables-save | testbed diff release:1.30 -      has the pod drifted?
  testbed diff release:1.30 pid:4711               the same, where the rules are
  testbed diff pod:pod.yaml container:3f4e8b2a91c0
  testbed diff release:1.30 release:1.30 --backend iptables-nft,nftables
  testbed diff old.rules new.rules --watch again after each change of a file
  testbed diff release:1.24 release:1.30 --paths   other rules, same stops
  testbed diff release:1.30 'release:1.30 -u 64535,1337' --format json
  testbed diff --consecutive --since 1.10 release:all 'release:all --redirect-dns'
                                                   each release and the next

Exit status: 0 equal, 1 something moved, 2 usage or input, 3 inconclusive,
or the live pod could not be read, 4 this machine cannot do it.`;

/** `testbed diff A B`. */
export function diffCommandLine(setStatus: (status: number) => void): Command {
	return addShardOptions(new Command('diff')
		.description('compare two rule sets for all packets: which traffic moved, with examples')
		.argument('<inputs...>', 'two rule sets: release:VERSION [arguments], ambient:VERSION, pod:FILE, a dump\'s file, -, or a live pod (netns:NAME, pid:PID, container:ID, kubectl:NAMESPACE/POD)')
		.option('--consecutive', 'each input names many rule sets (release:all …); compare each one with the next')
		.option('--since <version>', 'with --consecutive: skip releases before this one')
		.option('--from6 <file>', 'the IPv6 dump that goes with the first input')
		.option('--to6 <file>', 'the IPv6 dump that goes with the second input')
		.option('--backend <list>', backendHelp.sides, readBackends)
		.addOption(new Option('--family <name>', 'ipv4, ipv6 or both (default: both, or the one family that both dumps hold)').argParser(readFamilies))
		.option('--paths', 'also report traffic that reaches the same listeners through other rules')
		.addOption(serversOption())
		.addOption(kubeconfigOption())
		.addOption(contextOption())
		.addOption(debugImageOption())
		.addOption(modulesOption())
		.option('--proxy-uid <n>', 'user of the proxy on both sides (default: the first rule set\'s)', readId)
		.addOption(proxyGroupOption())
		.addOption(formatOption(formats))
		.addOption(outputOption(formats))
		.addOption(jsonOption('diff'))
		.addOption(checkOption())
		.addOption(watchOption())
		.addOption(quietOption())
		.addOption(colorOption())
		.option('--verbose', 'also list the classes that were left out, with the reasons'), 'the pairs of --consecutive')
		.addOption(limitOption())
		.addOption(timeoutOption())
		.addOption(bufferOption())
		.addHelpText('after', helpText(examples))
		.action(async (inputs: readonly string[], flags: DiffFlags, command: Command) => {
			if (flags.watch === true) {
				const {watchDiff} = await import('../watch/watch-diff.js');
				setStatus(await watchDiff(command, inputs));
				return;
			}

			const {diffCommand} = await import('../commands/diff.js');
			setStatus(await diffCommand(inputs, flags));
		});
}
