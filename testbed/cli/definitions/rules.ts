/**
The command line of `testbed rules`.
*/

import {Command, Option} from 'commander';
import {readBackends, readFamilies} from '../parsers.js';
import type {RulesFlags} from '../commands/rules.js';
import {helpText} from '../output/help-text.js';
import {jsonOption} from '../output/json-keys.js';
import {
	backendHelp, cniOption, colorOption, contextOption, debugImageOption, kubeconfigOption, releaseOption, serversOption,
} from './shared-options.js';

const rulesExamples = `
The text output is what the back end's own program reads; addresses and routes
that go with the rules appear as comments. iptables-restore reads one family at
a time; choose it with --family. iptables-restore replaces the tables of the
network namespace that it runs in: give it a namespace of its own (unshare -n),
never the machine's.

--diff compares what rules match and do, by role: numbers, comments and
different spellings of the same rule do not count.

Examples:
  testbed rules                                   the newest release, IPv4
  testbed rules 'release:1.30 -m TPROXY' | unshare -n iptables-restore --test
  testbed rules release:1.30 --family ipv6 | unshare -n ip6tables-restore --test
  testbed rules release:1.30 --explain            what each rule is for
  iptables-save | testbed rules - --explain       the rules of your pod
  testbed rules pid:4711 --explain                those of a live pod
  testbed rules release:1.30 --diff pod.rules     has the pod drifted?
  testbed rules --backend iptables-nft,nftables --diff release:1.30
                                                  one release, two back ends
  testbed rules release:1.30 --format json > rules.json

Exit status: 0 printed, or equal; 1 the two sets differ; 2 usage or input.
Neither root nor iptables or nft is needed.`;

export function rulesCommandLine(setStatus: (status: number) => void): Command {
	return new Command('rules')
		.description('print rules, explain them, or compare two rule sets, without the kernel')
		.argument('[input]', 'release:VERSION [arguments of istio-iptables], ambient:VERSION, pod:FILE, a dump\'s file, -, or a live pod (netns:NAME, pid:PID, container:ID, kubectl:NAMESPACE/POD) (default: the newest release)')
		.option('--rules6 <file>', 'the IPv6 dump that goes with the input')
		.option('--backend <list>', backendHelp.oneOrTwo, readBackends)
		.addOption(new Option('--family <name>', 'ipv4, ipv6 or both').argParser(readFamilies).default(['ipv4'], 'ipv4'))
		.addOption(new Option('--format <name>', 'output format').choices(['text', 'json']).default('text'))
		.addOption(jsonOption('rules', 'rules-diff'))
		.addOption(colorOption())
		.option('--explain', 'show for each rule what it is for, which releases have it, and which types should match it')
		.option('--diff <input>', 'compare with another input, and list moved, changed, removed and added rules')
		.option('--diff6 <file>', 'the IPv6 dump that goes with the one in --diff')
		.addOption(serversOption())
		.addOption(kubeconfigOption())
		.addOption(contextOption())
		.addOption(debugImageOption())
		.addOption(cniOption())
		.addOption(releaseOption())
		.addHelpText('after', helpText(rulesExamples))
		.action(async (input: string | undefined, flags: RulesFlags) => {
			const {rulesCommand} = await import('../commands/rules.js');
			setStatus(await rulesCommand(input, flags));
		});
}
