/**
The command line of `testbed rules`.
*/

import {Command, Option} from 'commander';
import {readBackends, readFamilies} from '../parsers.js';
import type {RulesFlags} from '../commands/rules.js';
import {serversOption} from './shared-options.js';

const rulesExamples = `
Text output is what the back end's own program reads; addresses and routes that
go with the rules are comments in it. iptables-restore takes one family at a
time; choose it with --family. It replaces the tables of the namespace where it
runs: give it one of its own (unshare -n), never the machine's.
--diff compares what rules match and do, by their roles: numbers, comments and
different spellings of the same rule do not count.

Examples:
  testbed rules                                   the newest release, IPv4
  testbed rules 'release:1.30 -m TPROXY' | unshare -n iptables-restore --test
  testbed rules release:1.30 --family ipv6 | unshare -n ip6tables-restore --test
  testbed rules release:1.30 --explain            what each rule is for
  iptables-save | testbed rules - --explain       the rules of your own pod
  testbed rules release:1.30 --diff pod.rules     has the pod drifted?
  testbed rules --backend iptables-nft,nftables --diff release:1.30
                                                  one release, two back ends
  testbed rules release:1.30 --format json > rules.json

Exit status: 0 printed, or equal; 1 the two sets differ; 2 usage or input.
Needs no root, and no iptables or nft on the machine.`;

export function rulesCommandLine(setStatus: (status: number) => void): Command {
	return new Command('rules')
		.description('print rules, explain them, or compare two sets, without a kernel')
		.argument('[input]', 'release:VERSION [arguments of istio-iptables], ambient:VERSION, pod:FILE, a dump\'s file, or - (default: the newest release)')
		.option('--rules6 <file>', 'the IPv6 dump that belongs to the input')
		.option('--backend <list>', 'iptables-nft, iptables-legacy or nftables; with --diff also one for each side (default: the input\'s; iptables-nft)', readBackends)
		.addOption(new Option('--family <name>', 'ipv4, ipv6 or both').argParser(readFamilies).default(['ipv4'], 'ipv4'))
		.addOption(new Option('--format <name>', 'what to print on stdout').choices(['text', 'json']).default('text'))
		.option('--explain', 'for each rule: what it is for, since which release, and which types should match it')
		.option('--diff <input>', 'compare with another input: moved, changed, removed and added rules')
		.option('--diff6 <file>', 'the IPv6 dump that belongs to the one in --diff')
		.addOption(serversOption())
		.option('--cni', 'with pod:FILE: istio-cni writes the rules, whatever the manifest says')
		.option('--release <version>', 'with pod:FILE: the release, where no image tells it (default: the newest)')
		.addHelpText('after', rulesExamples)
		.action(async (input: string | undefined, flags: RulesFlags) => {
			const {rulesCommand} = await import('../commands/rules.js');
			setStatus(await rulesCommand(input, flags));
		});
}
