/**
What a release is called and what is said of it.
*/

/** The release cannot be made. */
export class ReleaseError extends Error {}

/**
The version of a tag.

@throws {ReleaseError} The tag is not that of the version in package.json.
*/
export function versionOfTag(tag, version) {
	if (tag !== `v${version}`) {
		throw new ReleaseError(`The tag is ${tag}, but package.json has version ${version}. Tag v${version}, or change the version first.`);
	}

	return version;
}

/**
The section of a version in a changelog (keepachangelog.com, 1.1.0), without its heading.

@throws {ReleaseError} There is no such section, or it is empty.
*/
export function notesOf(changelog, version) {
	const sections = changelog.split(/^## /mu).slice(1);
	const section = sections.find(text => /^\[?(?<name>[^\]\s]+)/u.exec(text)?.groups.name === version);
	if (section === undefined) {
		throw new ReleaseError(`CHANGELOG.md has no section for ${version}. Rename "Unreleased" to "${version} - YYYY-MM-DD".`);
	}

	const notes = section.slice(section.indexOf('\n') + 1).trim();
	if (notes === '') {
		throw new ReleaseError(`The section for ${version} in CHANGELOG.md is empty.`);
	}

	return `${notes}\n`;
}
