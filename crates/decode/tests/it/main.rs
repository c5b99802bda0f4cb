//! The decoder from outside: topic and body in, observations and problems out.

#[cfg(test)]
mod alarms;
#[cfg(test)]
mod cap;
#[cfg(test)]
mod gtfs_rt;
#[cfg(test)]
mod hfp;
#[cfg(test)]
mod incidents;
#[cfg(test)]
mod positions;
#[cfg(test)]
mod recordings;
#[cfg(test)]
mod round_trips;
#[cfg(test)]
mod routing;
#[cfg(test)]
mod show;
