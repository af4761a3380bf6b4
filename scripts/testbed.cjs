#!/usr/bin/env node
'use strict';

const process = require('process');

// The program `testbed` of package.json's `bin`: the same as `npm run testbed --`, from any folder.
process.argv.splice(2, 0, 'testbed');
require('./run.cjs'); // eslint-disable-line import-x/no-unassigned-import
