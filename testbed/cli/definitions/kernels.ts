/**
The command line of `testbed kernels`.
*/

import {Command, Option} from 'commander';
import {formats, readDuration} from '../parsers.js';
import type {KernelsFlags} from '../commands/kernels.js';
import {helpText} from '../output/help-text.js';
import {jsonOption} from '../output/json-keys.js';
import {
	colorOption, formatOption, outputOption, quietOption,
} from './shared-options.js';
import {repeatable} from './repeatable.js';

const examples = `
The kernels are packages of Debian and its backports: the newest of each series,
with signatures checked by apt. Each is booted in QEMU, with KVM if a kernel
starts with it, otherwise in emulation. The guest has Debian's own iptables, nft
and Node, and this testbed. Images are kept in ~/.cache (or XDG_CACHE_HOME).

By default, the guests run the six types on all back ends. After --, name any
other command of the testbed. Files and folders that its words name are packed
into the guests, with the same paths; name all others by --file. What a command
writes to files stays in the guest. If it does not pass, the doctor says what
the kernel lacks.

Needs mmdebstrap, qemu-system-x86 and e2fsprogs, but not root.

Examples:
  testbed kernels 5.10 6.1 6.12            the six types on three kernels
  testbed kernels newest                   Debian's newest kernel
  testbed kernels 6.1 -- run --rules my.rules --backend all
  testbed kernels 6.1 6.12 --verbose -- probe --to 10.244.1.20:80
  testbed kernels 6.1 --file rules/ -- run tests/
  testbed kernels 5.10 newest --format json

Exit status: 0 everything passed on every kernel, 1 something failed, 2 usage or
input, 3 inconclusive: a kernel did not boot or did not finish in time, or
something is missing on this machine.`;

function collect(file: string, before: readonly string[] = []): readonly string[] {
	return [...before, file];
}

/** `testbed kernels SERIES… [-- COMMAND…]`. */
export function kernelsCommandLine(setStatus: (status: number) => void): Command {
	return new Command('kernels')
		.description('boot other kernels and run the testbed on them, in QEMU')
		.argument('<series...>', 'kernel series, such as 6.12, or newest; after --, the command to run in the guests (default: run --backend all)')
		.addOption(repeatable(new Option('--file <file>', 'a file or folder that the command needs and does not name itself; can be repeated').argParser(collect)))
		.addOption(new Option('--accel <name>', 'who runs the guest: auto (KVM if a kernel starts with it), kvm or tcg (emulation)').choices(['auto', 'kvm', 'tcg']).default('auto'))
		.addOption(new Option('--time-limit <duration>', 'how long one guest may take, such as 90s or 30m').argParser(readDuration).default(600_000, '10m'))
		.option('--refresh', 'fetch newer kernels, make the root disk again, and try KVM again')
		.addOption(formatOption(formats))
		.addOption(outputOption(formats))
		.addOption(jsonOption('kernels'))
		.addOption(quietOption())
		.addOption(colorOption())
		.option('--verbose', 'also print what the command printed on each kernel')
		.addHelpText('after', helpText(examples))
		.action(async (words: readonly string[], flags: KernelsFlags, command: Command) => {
			const {kernelsCommand} = await import('../commands/kernels.js');
			setStatus(await kernelsCommand(words, flags, command));
		});
}
