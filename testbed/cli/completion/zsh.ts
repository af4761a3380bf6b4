/**
Completion for zsh, with descriptions.
*/

import {quoted} from '../../../src/report/terminal/shell-quote.js';
import {inputKinds, releases, scenarioEnds, type CompletedCommand, type CompletedOption, type Value} from './model.js';

/** The script. It can be sourced, or saved as `_testbed` in a folder of `$fpath`. */
export function printZsh(commands: readonly CompletedCommand[]): string {
	return `#compdef testbed
# zsh completion for testbed. Load it:  source <(testbed completion zsh)

_testbed__rules() {
	if compset -P '(${inputKinds.withRelease.map(kind => kind.slice(0, -1)).join('|')}):'; then
		compadd -- ${releases.join(' ')}
	elif compset -P '(${inputKinds.withFile.map(kind => kind.slice(0, -1)).join('|')}):'; then
		_files
	else
		compadd -S '' -- ${[...inputKinds.withRelease, ...inputKinds.withFile, ...inputKinds.live].join(' ')}
		_files
	fi
}

_testbed__report() {
	if compset -P '*='; then
		_files
	else
		compadd -S '' -- "$@"
		_files
	fi
}

_testbed__list() {
	compset -P '*,'
	compadd -S '' -- "$@"
}

_testbed__scenarios() {
	_path_files -/
	_path_files -g '*.(${scenarioEnds.join('|')})'
}

${commands.map(command => printFunction(command, commands)).join('\n\n')}

if [[ $funcstack[1] == _testbed ]]; then
	_testbed "$@"
else
	compdef _testbed testbed
fi
`;
}

function functionName(words: readonly string[]): string {
	return ['_testbed', ...words].join('-');
}

function printFunction(command: CompletedCommand, all: readonly CompletedCommand[]): string {
	const {words, options, values, isVariadic, below} = command;
	const specifications = [...options.map(option => specificationOf(option)), ...values.map((value, index) => quoted(`${isVariadic && index === values.length - 1 ? '*' : index + 1}:argument:${actionFor(value)}`))];
	const own = `_arguments -s -S : \\\n\t\t${specifications.join(' \\\n\t\t')}`;
	if (below.length === 0) {
		return `${functionName(words)}() {\n\t${own}\n}`;
	}

	const children = all.filter(({words: path}) => path.length === words.length + 1 && words.every((word, index) => path[index] === word));
	const described = children.map(({words: path, about}) => quoted(`${path.at(-1)!}:${about}`));
	return `${functionName(words)}() {
	if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
		local -a commands=(
			${described.join('\n\t\t\t')}
		)
		_describe command commands
	fi

	case $words[2] in
${children.map(({words: path}) => `\t\t${path.at(-1)!})\n\t\t\t(( CURRENT > 2 )) || return\n\t\t\tshift words\n\t\t\t(( CURRENT-- ))\n\t\t\t${functionName(path)}\n\t\t\treturn;;`).join('\n')}
	esac

	${own}
}`;
}

/** `_arguments` reads colons and brackets itself. */
function escaped(text: string): string {
	return text.replaceAll(/[[\]:\\]/gu, String.raw`\$&`);
}

function specificationOf({long, short, about, value}: CompletedOption): string {
	const described = `[${escaped(about)}]${value === undefined ? '' : `:value:${actionFor(value)}`}`;
	const name = value === undefined ? long : `${long}=`;
	if (short === undefined) {
		return quoted(`${value?.kind === 'report' ? '*' : ''}${name}${described}`);
	}

	const only = value?.kind === 'report' ? '\'*\'' : quoted(`(${short} ${long})`);
	return `${only}{${short}${value === undefined ? '' : '+'},${name}}${quoted(described)}`;
}

function actionFor(value: Value): string {
	switch (value.kind) {
		case 'words': {
			return value.isList ? ` _testbed__list ${value.words.join(' ')}` : `(${value.words.join(' ')})`;
		}

		case 'report': {
			return ` _testbed__report ${value.formats.map(format => `${format}=`).join(' ')}`;
		}

		case 'file': {
			return '_files';
		}

		case 'rules': {
			return ' _testbed__rules';
		}

		case 'scenarios': {
			return ' _testbed__scenarios';
		}

		case 'text': {
			return ' ';
		}
	}
}
