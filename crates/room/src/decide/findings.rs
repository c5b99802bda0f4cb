//! What a rule's finding does: raise, renew, clear (T1, T6 to T8, T13).

use alert::{Alert, AlertCondition, Author, Change, CloseReason, Evidence, Finding, FindingVerdict, Priority, Renewal};
use transit::Now;

use super::draft::Draft;
use crate::{ControlRoom, Decision, OpenKey, Verdict};

impl ControlRoom {
    pub(super) fn decide_finding(&self, finding: &Finding, now: Now) -> Decision {
        let mut draft = Draft::of(self, now);
        let verdict = draft.find(finding);
        draft.ends(verdict)
    }
}

impl Draft {
    /// Takes a finding in.
    pub(super) fn find(&mut self, finding: &Finding) -> Verdict {
        let (subject, rule) = (finding.subject.clone(), finding.rule.clone());
        let key = OpenKey { subject, rule, status: finding.status };
        let open = self.room.find_open(&key).cloned();
        match (finding.verdict, open) {
            (FindingVerdict::Raised, None) => {
                let alert = Alert::found(self.room.next_id(self.now), finding, self.now);
                Verdict::Raised(self.raise(alert, |alert| Change::AlertRaised {
                    alert,
                    fingerprint: None,
                    identified: false,
                    ordered: None,
                }))
            }
            (FindingVerdict::Raised, Some(alert)) => self.find_again(finding, &alert, &key),
            (FindingVerdict::Cleared, None) => Verdict::NothingOpen,
            (FindingVerdict::Cleared, Some(alert)) => self.find_normal(&alert),
        }
    }

    fn find_again(&mut self, finding: &Finding, alert: &Alert, key: &OpenKey) -> Verdict {
        let renewal = self.renewal_of(alert, finding.priority, Some(&finding.evidence));
        let id = alert.id.clone();
        let Some(renewal) = renewal else { return Verdict::Repeated { alert: id, re_alarmed: false } };
        let re_alarmed = renewal.re_alarmed;
        self.renew(alert, Author::Detector(finding.rule.clone()), renewal, None, key);
        Verdict::Repeated { alert: id, re_alarmed }
    }

    /// Records a renewal, and lets what the alert explains fall silent where it came back.
    pub(super) fn renew(
        &mut self,
        alert: &Alert,
        author: Author,
        renewal: Renewal,
        ordered: Option<Box<alert::Ordered>>,
        key: &OpenKey,
    ) {
        let came_back = renewal.re_raised;
        let renewal = Box::new(renewal);
        self.push(Change::AlertRenewed { alert: alert.id.clone(), at: self.now.utc, author, renewal, ordered });
        self.expose(&alert.id);
        if came_back {
            self.shelter(key);
        }
    }

    /// What is new about an open alert; `None` when nothing is, so that repetition leaves no record.
    pub(super) fn renewal_of(&self, alert: &Alert, priority: Priority, evidence: Option<&Evidence>) -> Option<Renewal> {
        let grown = evidence.filter(|evidence| has_other_members(alert.evidence.as_ref(), evidence));
        let re_raised = alert.condition == AlertCondition::Cleared || alert.source_normal_at.is_some();
        if grown.is_none() && priority >= alert.priority && !re_raised {
            return None;
        }
        let evidence = evidence.map(Evidence::kept);
        Some(Renewal { evidence, ..self.echoed(alert, priority) })
    }

    /// What saying an open alert anew with that priority does, whatever is new about it.
    pub(super) fn echoed(&self, alert: &Alert, priority: Priority) -> Renewal {
        let echo = self.echo_of(alert, priority);
        Renewal {
            priority: (priority < alert.priority).then_some(priority),
            re_raised: alert.condition == AlertCondition::Cleared,
            re_alarmed: echo.re_alarmed,
            sounds: echo.sounds,
            held: echo.release_at.is_some(),
            release_at: echo.release_at,
            ack_due_at: echo.ack_due_at,
            ..Renewal::default()
        }
    }

    fn find_normal(&mut self, alert: &Alert) -> Verdict {
        let verdict = Verdict::SourceNormal(alert.id.clone());
        if alert.source_normal_at.is_some() || alert.condition != AlertCondition::Active {
            return verdict;
        }
        if alert.latched {
            self.push(Change::AlertSourceNormal { alert: alert.id.clone(), at: self.now.utc, press: None });
        } else {
            self.clear(&alert.id, None, Author::Detector(alert.rule.clone()), CloseReason::Resolved);
        }
        verdict
    }
}

/// Somebody joined, or is of it no more.
fn has_other_members(kept: Option<&Evidence>, said: &Evidence) -> bool {
    let kept = kept.map_or(&[][..], |evidence| &evidence.members);
    said.members.iter().any(|member| !kept.contains(member)) || kept.iter().any(|member| !said.members.contains(member))
}
