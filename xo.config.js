import path from 'node:path';

const compiled = ['dist', '/coverage', 'test/fixtures', 'test/goldens', 'test/recordings'];

/** The files that an old Node must be able to read before it is told its age (scripts/run.cjs). */
const readByOldNode = ['scripts/run.cjs', 'scripts/testbed.cjs', 'scripts/setup/problem.cjs', 'scripts/setup/machine.cjs'];

/** XO's own style: tabs, single quotes, braces always. What differs from it stands here with its reason, not in the files. */
const config = [
	{ignores: compiled},
	{
		rules: {
			// A table is read by rows, and a row of packets or rules has more than three columns.
			'@stylistic/object-curly-newline': ['error', {multiline: true, consistent: true}],
			'@stylistic/array-element-newline': 'off',
			// Reasons are sentences, and a rule's text or an error's message is not cut in two.
			'@stylistic/max-len': ['error', {
				code: 200, ignoreComments: true, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreRegExpLiterals: true, ignoreUrls: true,
			}],
			'max-lines': ['error', {max: 300, skipBlankLines: true, skipComments: true}],
		},
	},
	{
		files: ['**/*.ts', '**/*.tsx'],
		rules: {
			// The names of the kernel's things are keys as they are: `PREROUTING`, `ISTIO_OUTPUT`, `10`. So only our own names are held to a form.
			'@typescript-eslint/naming-convention': [
				'error',
				{selector: ['variable', 'function', 'parameter'], format: ['strictCamelCase'], leadingUnderscore: 'allow', trailingUnderscore: 'allow'},
				{selector: 'variable', modifiers: ['destructured'], format: null},
				{selector: 'typeLike', format: ['StrictPascalCase']},
			],
			// A parameter property is not erasable syntax, so the compiler refuses what this rule asks for.
			'@typescript-eslint/parameter-properties': 'off',
			// The stable JSON of a report has `null` where a field has no value, and so have the types of its parts.
			'@typescript-eslint/no-restricted-types': 'off',
			// Masks, flags and header fields are bits.
			'no-bitwise': 'off',
		},
	},
	{
		files: ['page/**/*.tsx'],
		rules: {
			// What JSX takes for a component begins with a capital.
			'@typescript-eslint/naming-convention': [
				'error',
				{selector: ['variable', 'parameter'], format: ['strictCamelCase'], leadingUnderscore: 'allow', trailingUnderscore: 'allow'},
				{selector: 'function', format: ['strictCamelCase', 'StrictPascalCase']},
				{selector: 'variable', modifiers: ['destructured'], format: null},
				{selector: 'typeLike', format: ['StrictPascalCase']},
			],
		},
	},
	{
		files: ['test/**/*.ts'],
		rules: {
			// The configuration of ava names the compiled files in dist/, so to this rule every source is one that ava ignores.
			'ava/no-ignored-test-files': 'off',
			// The compiler knows the types of messages; this rule takes every one that is no literal for a mistake.
			'ava/assertion-arguments': 'off',
			// What only tests need stands in the package.json of a workspace, so that the first command does not install it.
			'import-x/no-extraneous-dependencies': ['error', {packageDir: [import.meta.dirname, path.join(import.meta.dirname, 'scripts/tests')]}],
			// The same question by another plugin, which knows one package.json only.
			'n/no-extraneous-import': 'off',
		},
	},
	{
		files: ['examples/**/*.js'],
		rules: {
			// They are copied into other projects, whose ava finds them.
			'ava/no-ignored-test-files': 'off',
			// A subpath that a package exports has no extension.
			'import-x/extensions': 'off',
			// Whoever copies one has its runner; here each comes from where it is.
			'import-x/no-extraneous-dependencies': 'off',
			'n/no-extraneous-import': 'off',
		},
	},
	{
		files: readByOldNode,
		languageOptions: {ecmaVersion: 2019, sourceType: 'commonjs'},
		rules: {
			// Node 12 knows neither of these; `ecmaVersion` above finds syntax that it cannot parse.
			'unicorn/prefer-node-protocol': 'off',
			'@typescript-eslint/prefer-optional-chain': 'off',
			'@typescript-eslint/prefer-nullish-coalescing': 'off',
			'prefer-object-has-own': 'off',
		},
	},
];

export default config;
