/**
The command line of `testbed lesson`.
*/

import {Command} from 'commander';
import type {LessonFlags} from '../commands/lesson.js';
import {helpText} from '../output/help-text.js';
import {bufferOption, colorOption, timeoutOption} from './shared-options.js';

const lessonExamples = `
A lesson shows rules, sends real packets, and asks what happened to them. The
kernel has the correct answer. At a terminal, lessons go step by step, with hints.
Without one, each question takes one line: the number of a choice, several with
commas if the answer is a list, none for an empty list, or ? to give up.

Examples:
  testbed lesson --list                    all lessons
  testbed lesson                           choose one
  testbed lesson hairpin                   one by its name
  testbed lesson 8                         or by its number
  testbed lesson hairpin --show            only read it, with all answers
  printf '9\\n4\\n4\\n' | testbed lesson out-of-the-pod
  testbed lesson hairpin --answers FILE    the answers of a class, for example
  testbed lesson ./mine.md                 a lesson of your own

Exit status: 0 all correct in the end, 1 a wrong answer, 2 usage or input,
3 inconclusive, 4 this machine cannot do it, 130 interrupted. With --show, 1 means
that a text was written for another answer than the kernel's.`;

export function lessonCommandLine(setStatus: (status: number) => void): Command {
	return new Command('lesson')
		.description('learn how the rules work, with questions that the kernel answers')
		.argument('[name]', 'the lesson: its name or number, or the file of your own')
		.option('--list', 'list all lessons')
		.option('--show', 'show the lesson with all answers, and ask nothing')
		.option('--answers <file>', 'read the answers from this file, one line for each question; - is stdin')
		.addOption(colorOption())
		.addOption(timeoutOption())
		.addOption(bufferOption())
		.addHelpText('after', helpText(lessonExamples))
		.action(async (name: string | undefined, flags: LessonFlags) => {
			const {lessonCommand} = await import('../commands/lesson.js');
			setStatus(await lessonCommand(name, flags));
		});
}
