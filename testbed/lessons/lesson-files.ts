/**
The lessons that come with the testbed, and those of a file that somebody wrote.
*/

import {readdirSync} from 'node:fs';
import path from 'node:path';
import {nameOfFile, parseLesson} from '../../src/lessons/parse.js';
import type {Lesson} from '../../src/lessons/types.js';
import {didYouMean} from '../../src/parsing/did-you-mean.js';
import {InputError} from '../../src/parsing/input-error.js';
import {TestbedError} from '../errors.js';
import {readText} from '../inputs/read-text.js';
import {packageRoot} from '../system/package-root.js';

/** A lesson with the place of its file. */
export type LessonFile = {readonly lesson: Lesson; readonly file: string; readonly folder: string};

/** The folder of the lessons that come with the testbed. */
export const lessonFolder: string = path.join(packageRoot, 'lessons');

/** The longest lesson that is read: an hour's text many times over. */
const lessonBytesMax = 1024 * 1024;

/**
Reads a lesson from its file.

@throws {TestbedError} INPUT with file, line, column and key.
*/
export function loadLesson(file: string): LessonFile {
	const text = readText({file, what: 'The lesson', bytesMax: lessonBytesMax});
	try {
		return {lesson: parseLesson(text, path.basename(file)), file, folder: path.dirname(file)};
	} catch (error) {
		if (error instanceof InputError) {
			throw new TestbedError('INPUT', {message: `${file}: ${error.message}`, state: 'Nothing was run.', cause: error});
		}

		throw error;
	}
}

/** The files of the lessons that come with the testbed, in their order. */
export function lessonFiles(folder = lessonFolder): readonly string[] {
	return readdirSync(folder).filter(name => /^\d.*\.md$/u.test(name)).toSorted().map(name => path.join(folder, name));
}

/**
The lessons that come with the testbed, in their order.

@throws {TestbedError} as {@link loadLesson}.
*/
export function loadLessons(folder = lessonFolder): readonly LessonFile[] {
	return lessonFiles(folder).map(file => loadLesson(file));
}

/**
A lesson by its name (`hairpin`), its number (`8`), or a file of one's own (a word with a slash, or one that ends in .md).

@throws {TestbedError} USAGE for a name that no lesson has, and as {@link loadLesson}.
*/
export function findLesson(word: string, folder = lessonFolder): LessonFile {
	if (word.endsWith('.md') || word.includes('/')) {
		return loadLesson(word);
	}

	const known = lessonFiles(folder).map(file => ({file, ...nameOfFile(file)}));
	const number = /^\d{1,3}$/u.test(word) ? Number(word) : undefined;
	const found = known.find(({name}) => name === word) ?? known.find(each => number !== undefined && each.number === number);
	if (found === undefined) {
		throw new TestbedError('USAGE', {message: `There is no lesson ${JSON.stringify(word)}.${didYouMean(word, known.map(({name}) => name))}`, hint: 'All of them: testbed lesson --list. A lesson of your own is named by its file: ./my-lesson.md'});
	}

	return loadLesson(found.file);
}
