/**
Completion for bash, 4.4 or later. It needs no other package.
*/

import {quoted} from '../../../src/report/terminal/shell-quote.js';
import {inputKinds, releases, scenarioEnds, type CompletedCommand, type Value} from './model.js';

/** The script. */
export function printBash(commands: readonly CompletedCommand[]): string {
	return `# bash completion for testbed. Load it:  source <(testbed completion bash)

# The kind of value that an option of a command takes; nothing for a flag.
_testbed_value() {
	case $1 in
${commands.flatMap(command => valueLines(command)).join('\n')}
	esac
}

# The kind of an argument, by its number from 0.
_testbed_argument() {
	case $1 in
${commands.flatMap(command => argumentLines(command)).join('\n')}
	esac
}

_testbed_options() {
	case $1 in
${commands.map(({words, options}) => `\t${quoted(words.join(' '))}) echo ${quoted(options.flatMap(({long, short}) => [long, ...(short === undefined ? [] : [short])]).join(' '))};;`).join('\n')}
	esac
}

_testbed_below() {
	case $1 in
${commands.filter(({below}) => below.length > 0).map(({words, below}) => `\t${quoted(words.join(' '))}) echo ${quoted(below.join(' '))};;`).join('\n')}
	esac
}

# Offers the words of $1 that begin with what was typed, behind the part of it that stays: $2.
_testbed_words() {
	local word
	while IFS= read -r word; do
		COMPREPLY+=("$2$word")
	done < <(compgen -W "$1" -- "\${cur#"$2"}")
}

_testbed_files() {
	local file only=$2
	compopt -o filenames 2>/dev/null
	while IFS= read -r file; do
		if [[ -z $only || -d $file || $file == *.@($only) ]]; then
			COMPREPLY+=("$1$file")
		fi
	done < <(compgen -f -- "\${cur#"$1"}")
}

_testbed_offer() {
	case $1 in
		words:*) _testbed_words "\${1#*:}" '';;
		list:*) local before=''
			[[ $cur == *,* ]] && before=\${cur%,*},
			_testbed_words "\${1#*:}" "$before";;
		report:*)
			if [[ $cur == *=* ]]; then
				_testbed_files "\${cur%%=*}="
			else
				_testbed_words "\${1#*:}" ''
				((\${#COMPREPLY[@]} > 0)) && compopt -o nospace 2>/dev/null
				[[ -z $cur || \${#COMPREPLY[@]} == 0 ]] && _testbed_files ''
			fi;;
		rules)
			case $cur in
				${inputKinds.withRelease.map(kind => `${kind}*`).join('|')}) _testbed_words ${quoted(releases.join(' '))} "\${cur%%:*}:";;
				${inputKinds.withFile.map(kind => `${kind}*`).join('|')}) _testbed_files "\${cur%%:*}:";;
				*) _testbed_words ${quoted([...inputKinds.withRelease, ...inputKinds.withFile, ...inputKinds.live].join(' '))} ''
					((\${#COMPREPLY[@]} > 0)) && compopt -o nospace 2>/dev/null
					[[ -z $cur || \${#COMPREPLY[@]} == 0 ]] && _testbed_files '';;
			esac;;
		scenarios) _testbed_files '' ${quoted(scenarioEnds.join('|'))};;
		file) _testbed_files '';;
	esac
}

_testbed() {
	local cur command='' option='' word before='' i arguments=0
	local -a line=()
	COMPREPLY=()
	# bash splits words at colons and equals signs.
	for ((i = 1; i <= COMP_CWORD; i++)); do
		word=\${COMP_WORDS[i]}
		if ((\${#line[@]} > 0)) && [[ $word == [:=]* || (\${COMP_WORDS[i - 1]} == *[:=] && $word != -*) ]]; then
			line[\${#line[@]} - 1]+=$word
		else
			line+=("$word")
		fi
	done
	cur=\${line[\${#line[@]} - 1]}
	for word in "\${line[@]:0:\${#line[@]} - 1}"; do
		if [[ -n $option ]]; then
			option=''
		elif [[ $word == -* ]]; then
			[[ $word != *=* && -n $(_testbed_value "$command $word") ]] && option=$word
		elif ((arguments == 0)) && [[ " $(_testbed_below "$command") " == *" $word "* ]]; then
			command="\${command:+$command }$word"
		else
			((arguments++))
		fi
	done

	if [[ -z $option && $cur == --*=* ]]; then
		before=\${cur%%=*}=
		option=\${before%=}
		cur=\${cur#*=}
	fi

	if [[ -n $option ]]; then
		_testbed_offer "$(_testbed_value "$command $option")"
		COMPREPLY=("\${COMPREPLY[@]/#/$before}")
		cur=$before$cur
	elif [[ $cur == -* ]]; then
		_testbed_words "$(_testbed_options "$command")" ''
	else
		((arguments == 0)) && _testbed_words "$(_testbed_below "$command")" ''
		_testbed_offer "$(_testbed_argument "$command $arguments")"
	fi

	# bash replaces only what comes after the last colon or equals sign.
	if [[ $cur == *[:=]* ]]; then
		local kept=\${cur%"\${cur##*[:=]}"}
		COMPREPLY=("\${COMPREPLY[@]#"$kept"}")
	fi
}

complete -F _testbed testbed
`;
}

function printed(value: Value): string {
	switch (value.kind) {
		case 'words': {
			return `${value.isList ? 'list' : 'words'}:${value.words.join(' ')}`;
		}

		case 'report': {
			return `report:${value.formats.map(format => `${format}=`).join(' ')}`;
		}

		case 'file':
		case 'rules':
		case 'scenarios':
		case 'text': {
			return value.kind;
		}
	}
}

/** Options with the same value in one line. */
function valueLines({words, options}: CompletedCommand): readonly string[] {
	const names = new Map<string, string[]>();
	for (const {long, short, value} of options) {
		if (value !== undefined) {
			const kind = printed(value);
			names.set(kind, [...names.get(kind) ?? [], ...[long, short].flatMap(name => name === undefined ? [] : [quoted(`${words.join(' ')} ${name}`)])]);
		}
	}

	return [...names].map(([kind, patterns]) => `\t${patterns.join('|')}) echo ${quoted(kind)};;`);
}

function argumentLines({words, values, isVariadic}: CompletedCommand): readonly string[] {
	return values.map((value, index) => {
		const isLast = isVariadic && index === values.length - 1;
		return `\t${quoted(`${words.join(' ')} `)}${isLast ? '*' : index}) echo ${quoted(printed(value))};;`;
	});
}
