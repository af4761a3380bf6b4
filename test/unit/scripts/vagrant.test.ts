import fs from 'node:fs';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import {isLeftOut} from '../../helpers/left-out.js';
import {root} from './_setup.js';

const vagrantfile = path.join(root, 'Vagrantfile');

/** Stands in for Vagrant: every assignment and call on the configuration becomes a line. */
const recorder = `
class Recorder < BasicObject
  def initialize(name) = @name = name
  def method_missing(method, *given, **options, &block)
    ::Kernel.puts [@name, method, *given.map(&:to_s), *options.map { |key, value| "#{key}=#{value}" }].join(' ')
    child = ::Recorder.new("#{@name}.#{method}")
    block&.call(child)
    child
  end
end
module Vagrant
  def self.configure(version) = yield(Recorder.new("config#{version}"))
end
load ARGV.fetch(0)
`;

async function configure(env: Record<string, string> = {}): Promise<string[]> {
	const {stdout} = await execa('ruby', ['-e', recorder, vagrantfile], {env});
	return stdout.split('\n');
}

/** A test of what the Vagrantfile says to Ruby. */
function withRuby(title: string, check: (t: ExecutionContext) => Promise<void>): void {
	test(title, async t => {
		if (!isLeftOut(t, {program: 'ruby'})) {
			await check(t);
		}
	});
}

withRuby('the Vagrantfile is Ruby', async t => {
	const {stdout} = await execa('ruby', ['-c', vagrantfile]);
	t.is(stdout, 'Syntax OK');
});

withRuby('a current Debian by default, any box by environment variable', async t => {
	const byDefault = await configure();
	t.true(byDefault.includes('config2.vm box= bento/debian-13'), byDefault.join('\n'));
	const chosen = await configure({TESTBED_BOX: 'bento/ubuntu-24.04'});
	t.true(chosen.includes('config2.vm box= bento/ubuntu-24.04'));
});

withRuby('the checkout is shared, and provisioned by the script that is there', async t => {
	const lines = await configure();
	t.true(lines.includes('config2.vm synced_folder . /testbed'));
	t.true(lines.includes('config2.vm provision shell path=scripts/provision.sh'));
	t.true(fs.existsSync(path.join(root, 'scripts/provision.sh')));
});

withRuby('both commands of the README are shown when the VM is up', async t => {
	const lines = await configure();
	const text = lines.join('\n');
	t.true(text.includes('sudo npm run testbed'));
	t.true(text.includes('sudo npm test'));
});
