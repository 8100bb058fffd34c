//! Makes a failure short: leaves out clients and steps as long as the same rule is broken.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::rule::{Broken, Rule};
use super::script::{Script, Step};
use super::target::Target;

/// A run that breaks a rule.
pub(super) struct Shown {
    pub(super) script: Script,
    pub(super) log: Vec<String>,
    pub(super) broken: Broken,
}

/// The shortest run found within a time that breaks the same rule.
pub(super) fn shrink(target: &Target, shown: Shown, time: Duration) -> Shown {
    let mut shrinking = Shrinking {
        target,
        rule: shown.broken.rule,
        until: Instant::now() + time,
        best: shown,
    };
    shrinking.lock_step();
    loop {
        let before = shrinking.size();
        shrinking.clients();
        shrinking.merges();
        shrinking.chunks();
        shrinking.pipelines();
        if shrinking.size() == before || shrinking.is_over() {
            return shrinking.best;
        }
    }
}

struct Shrinking<'a> {
    target: &'a Target,
    rule: Rule,
    until: Instant,
    best: Shown,
}

impl Shrinking<'_> {
    /// Steps, and clients that take them.
    fn size(&self) -> (usize, usize) {
        let steps = &self.best.script.steps;
        let clients: HashSet<usize> = steps.iter().map(|step| step.client).collect();
        (steps.len(), clients.len())
    }

    fn is_over(&self) -> bool {
        Instant::now() > self.until
    }

    /// Tries a script; it is the best if it breaks the same rule.
    fn takes(&mut self, script: Script) -> bool {
        let tries = if self.target.is_exact() { 1 } else { 3 };
        for _ in 0..tries {
            if self.is_over() {
                return false;
            }
            let outcome = self.target.attempt(&script);
            match outcome.result {
                Err(broken) if broken.rule == self.rule => {
                    let mut script = script;
                    script.steps.truncate(outcome.steps);
                    self.best = Shown {
                        script,
                        log: outcome.log,
                        broken,
                    };
                    return true;
                }
                _ => {}
            }
        }
        false
    }

    /// What fails where each waits for its answer is repeated most surely.
    fn lock_step(&mut self) {
        if !self.best.script.lock_step {
            let script = Script {
                lock_step: true,
                ..self.best.script.clone()
            };
            self.takes(script);
        }
    }

    fn with(&self, steps: Vec<Step>) -> Script {
        Script {
            steps,
            ..self.best.script.clone()
        }
    }

    fn clients(&mut self) {
        for client in (0..self.best.script.clients).rev() {
            let others = |step: &&Step| step.client != client;
            let steps: Vec<Step> = self.best.script.steps.iter().filter(others).copied().collect();
            if steps.len() < self.best.script.steps.len() {
                self.takes(self.with(steps));
            }
        }
    }

    /// What two clients do may show it as well when one of them does it.
    fn merges(&mut self) {
        let clients = self.best.script.clients;
        for (from, into) in (1..clients)
            .rev()
            .flat_map(|from| (0..from).map(move |into| (from, into)))
        {
            let mut steps = self.best.script.steps.clone();
            let mut moved = false;
            for step in steps.iter_mut().filter(|step| step.client == from) {
                step.client = into;
                moved = true;
            }
            if moved {
                self.takes(self.with(steps));
            }
        }
    }

    fn chunks(&mut self) {
        let mut size = self.best.script.steps.len() / 2;
        while size > 0 && !self.is_over() {
            let mut from = self.best.script.steps.len().saturating_sub(size);
            loop {
                let steps = &self.best.script.steps;
                let upto = (from + size).min(steps.len());
                let left: Vec<Step> = steps[..from.min(upto)].iter().chain(&steps[upto..]).copied().collect();
                self.takes(self.with(left));
                if from == 0 || self.is_over() {
                    break;
                }
                from = from.saturating_sub(size);
            }
            size /= 2;
        }
    }

    fn pipelines(&mut self) {
        for at in 0..self.best.script.steps.len() {
            let mut steps = self.best.script.steps.clone();
            if let Some(step) = steps.get_mut(at).filter(|step| step.pipelined > 1) {
                step.pipelined -= 1;
                self.takes(self.with(steps));
            }
        }
    }
}
