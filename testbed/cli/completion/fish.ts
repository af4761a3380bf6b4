/**
Completion for fish, with descriptions.
*/

import {inputKinds, releases, scenarioEnds, type CompletedCommand, type CompletedOption, type Value} from './model.js';

/** The script. */
export function printFish(commands: readonly CompletedCommand[]): string {
	return `# fish completion for testbed. Load it:  testbed completion fish | source

function __testbed_command
	set -l found
	for word in (commandline -opc)[2..-1]
		switch "$found"
${commands.filter(({below}) => below.length > 0).map(({words, below}) => `\t\t\tcase ${quoted(words.join(' '))}\n\t\t\t\tcontains -- $word ${below.join(' ')}; and set found (string trim "$found $word")`).join('\n')}
		end
	end
	echo $found
end

function __testbed_is
	test (__testbed_command) = "$argv[1]"
end

# Words after the last comma of what was typed.
function __testbed_list
	set -l before (string match -r '^.*,' -- (commandline -ct); or echo '')
	printf '%s\\n' "$before"$argv
end

# Files with such an end, and folders.
function __testbed_scenarios
	complete -C "'' "(commandline -ct) | string match -r '.*(?:\\.(?:${scenarioEnds.join('|')})|/)$'
end

function __testbed_rules
	printf '%s\\n' ${[...inputKinds.withRelease.flatMap(kind => releases.map(release => `${kind}${release}`)), ...inputKinds.withFile, ...inputKinds.live].join(' ')}
end

complete -c testbed -e
complete -c testbed -f
${commands.flatMap(command => linesOf(command, commands)).join('\n')}
`;
}

function linesOf({words, options, values, below}: CompletedCommand, all: readonly CompletedCommand[]): readonly string[] {
	const place = words.join(' ');
	const condition = `-n ${quoted(`__testbed_is ${quoted(place)}`)}`;
	const children = all.filter(({words: path}) => below.includes(path.at(-1)!) && path.slice(0, -1).join(' ') === place);
	return [
		...children.map(({words: path, about}) => `complete -c testbed ${condition} -f -a ${path.at(-1)!} -d ${quoted(about)}`),
		...options.map(option => `complete -c testbed ${condition} ${printOption(option)}`),
		...[...new Set(values.map(value => printValue(value)))].map(value => `complete -c testbed ${condition} ${value}`),
	];
}

function printOption({long, short, about, value}: CompletedOption): string {
	return [`-l ${long.slice(2)}`, ...(short === undefined ? [] : [`-s ${short.slice(1)}`]), ...(value === undefined ? [] : ['-r', printValue(value)]), `-d ${quoted(about)}`].join(' ');
}

function printValue(value: Value): string {
	switch (value.kind) {
		case 'words': {
			return `-f -a ${quoted(value.isList ? `(__testbed_list ${value.words.join(' ')})` : value.words.join(' '))}`;
		}

		case 'report': {
			return `-F -a ${quoted(value.formats.map(format => `${format}=`).join(' '))}`;
		}

		case 'file': {
			return '-F';
		}

		case 'rules': {
			return '-F -a \'(__testbed_rules)\'';
		}

		case 'scenarios': {
			return '-f -a \'(__testbed_scenarios)\'';
		}

		case 'text': {
			return '-f';
		}
	}
}

function quoted(text: string): string {
	return `'${text.replaceAll('\\', String.raw`\\`).replaceAll('\'', String.raw`\'`)}'`;
}
